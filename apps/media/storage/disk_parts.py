"""Parts of an upload as files in a folder: the addresses they are sent to, and their arrival."""

import asyncio
import base64
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import aiofiles
from django.core.signing import BadSignature, Signer

from apps.core.clock import now
from apps.media.storage.base import CHECKSUM_HEADER, NoSuchUploadError, Part, PartTarget

_PART_NAME = re.compile(r"([0-9]+)-([0-9]+)-([0-9a-f]{64})")
# Servers hand over 8 to 64 KiB at a time: fewer trips to a thread cost less.
_BLOCK_BYTES = 512 * 1024


class PartRefusedError(Exception):
    """What arrived is not what was announced; the message says so to the client."""


def sign_target(
    upload_id: UUID, *, number: int, size_bytes: int, checksum_sha256: str, lifetime_seconds: int
) -> PartTarget:
    """Our own counterpart of a presigned S3 address."""
    expires = int(now().timestamp()) + lifetime_seconds
    query = urlencode(
        {
            "size": size_bytes,
            "expires": expires,
            "signature": _signer().signature(_signed_text(upload_id, number, size_bytes, expires)),
        }
    )
    return PartTarget(
        url=f"/uploads/{upload_id}/parts/{number}?{query}",
        headers={CHECKSUM_HEADER: checksum_sha256},
        expires_at=datetime.fromtimestamp(expires, UTC),
    )


def is_signed(
    upload_id: UUID, *, number: int, size_bytes: int, expires: int, signature: str
) -> bool:
    """Whether we gave out this address, however long ago."""
    text = _signed_text(upload_id, number, size_bytes, expires)
    try:
        _signer().unsign(f"{text}:{signature}")
    except BadSignature:
        return False
    return True


def _signer() -> Signer:
    return Signer(salt="apps.media.storage.part")


def _signed_text(upload_id: UUID, number: int, size_bytes: int, expires: int) -> str:
    return f"{upload_id}/{number}/{size_bytes}/{expires}"


async def receive_part(
    folder: Path,
    body: AsyncIterator[bytes],
    *,
    number: int,
    size_bytes: int,
    checksum_sha256: str,
) -> Part:
    """Write a part as it arrives and put it in the place of an earlier one with its number.

    Raises NoSuchUploadError, PartRefusedError or OSError; then nothing has changed.
    """
    temporary = folder / f".{number}-{secrets.token_hex(8)}"
    digest = hashlib.sha256()
    received = 0
    try:
        async with aiofiles.open(temporary, "xb") as file:
            async for block in _blocks(body):
                received += len(block)
                if received > size_bytes:
                    raise PartRefusedError(f"The part is longer than {size_bytes} bytes.")
                await asyncio.to_thread(digest.update, block)
                await file.write(block)
            _require_announced(received, size_bytes, digest.digest(), checksum_sha256)
            await file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        name = f"{number}-{size_bytes}-{digest.hexdigest()}"
        await asyncio.to_thread(_replace_part, temporary, folder / name, number)
    except FileNotFoundError as error:
        raise NoSuchUploadError("This upload is not open any more.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return _part(number, size_bytes, digest.hexdigest())


async def _blocks(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in larger pieces."""
    block = bytearray()
    async for chunk in body:
        block += chunk
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _require_announced(received: int, size_bytes: int, digest: bytes, checksum: str) -> None:
    if received != size_bytes:
        raise PartRefusedError(f"The part has {received} bytes where {size_bytes} were announced.")
    if base64.b64encode(digest).decode() != checksum:
        raise PartRefusedError(
            f"The bytes that arrived do not match their {CHECKSUM_HEADER}. Send the part again."
        )


def _replace_part(temporary: Path, target: Path, number: int) -> None:
    temporary.replace(target)
    for older in target.parent.glob(f"{number}-*"):
        if older != target:
            older.unlink(missing_ok=True)
    sync_folder(target.parent)


def stored_parts(folder: Path) -> list[tuple[Part, Path]]:
    """The parts in a folder with their files, by number; raises NoSuchUploadError."""
    newest: dict[int, tuple[int, Part, Path]] = {}
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError as error:
        raise NoSuchUploadError("This upload is not open any more.") from error
    for path in paths:
        if match := _PART_NAME.fullmatch(path.name):
            number, size_bytes, sha256 = int(match[1]), int(match[2]), match[3]
            written = path.stat().st_mtime_ns
            # A process that died while replacing a part leaves both: the newer one holds.
            if number not in newest or newest[number][0] < written:
                newest[number] = written, _part(number, size_bytes, sha256), path
    return [(part, path) for _, (_, part, path) in sorted(newest.items())]


def _part(number: int, size_bytes: int, sha256: str) -> Part:
    checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
    return Part(number, size_bytes, etag=f'"{sha256}"', checksum_sha256=checksum)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: fsync of a file does not keep its name."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
