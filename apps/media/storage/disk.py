"""The store that is a folder: whole files under their keys, parts of uploads beside them."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from uuid import UUID

from apps.media.sources import DiskSource
from apps.media.storage import disk_parts
from apps.media.storage.base import (
    MultipartUpload,
    NoSuchUploadError,
    ObjectMissingError,
    Part,
    PartTarget,
    StorageError,
    StoredObject,
    require_same_parts,
)

_COPY_BYTES = 1024 * 1024


class DiskStorage:
    """Implements Storage under one folder, which must be on one file system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, key: str) -> Path:
        """Where the object of this key is, whether it exists or not."""
        parts = PurePosixPath(key).parts
        if not parts or any(part.startswith((".", "/")) for part in parts):
            raise StorageError(f"not a storage key: {key!r}")
        return self._root.joinpath(*parts)

    def put(self, path: Path, key: str, *, content_type: str) -> None:
        target = self.path(key)
        if target.exists() and target.stat().st_size == path.stat().st_size:
            return
        _write_durably(target, [path])

    def size(self, key: str) -> int:
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError as error:
            raise ObjectMissingError(f"nothing is stored as {key}") from error

    def exists(self, key: str) -> bool:
        return self.path(key).is_file()

    def delete(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def list_objects(self, prefix: str) -> Iterator[StoredObject]:
        for folder, folders, names in (self._root / prefix.rpartition("/")[0]).walk():
            place = "" if folder == self._root else f"{folder.relative_to(self._root).as_posix()}/"
            folders[:] = [name for name in folders if _leads_to(f"{place}{name}/", prefix)]
            for name in names:
                if name[0] != "." and f"{place}{name}".startswith(prefix):
                    with suppress(FileNotFoundError):  # deleted since the folder was read
                        yield _described(f"{place}{name}", (folder / name).stat())

    @contextmanager
    def materialise(self, key: str) -> Iterator[Path]:
        self.size(key)
        yield self.path(key)

    async def open_source(self, key: str, size_bytes: int) -> DiskSource:
        return await DiskSource.open(key, size_bytes, partial(self.path, key))

    def parts_folder(self, upload_id: UUID) -> Path:
        """Where the parts of an open upload are; the folder's existence means that it is open."""
        return self._root / "uploads" / str(upload_id)

    def create_multipart(self, upload_id: UUID, *, content_type: str) -> MultipartUpload:
        folder = self.parts_folder(upload_id)
        folder.mkdir(parents=True, exist_ok=True)
        disk_parts.sync_folder(folder.parent)
        return MultipartUpload(upload_id, "disk")

    def part_target(
        self,
        upload: MultipartUpload,
        *,
        number: int,
        size_bytes: int,
        checksum_sha256: str,
        lifetime_seconds: int,
    ) -> PartTarget:
        return disk_parts.sign_target(
            upload.upload_id,
            number=number,
            size_bytes=size_bytes,
            checksum_sha256=checksum_sha256,
            lifetime_seconds=lifetime_seconds,
        )

    def list_parts(self, upload: MultipartUpload) -> list[Part]:
        return [part for part, _ in disk_parts.stored_parts(self.parts_folder(upload.upload_id))]

    def complete_multipart(self, upload: MultipartUpload, parts: Sequence[Part]) -> str:
        folder = self.parts_folder(upload.upload_id)
        try:
            stored = disk_parts.stored_parts(folder)
        except NoSuchUploadError:
            if self.exists(upload.key):
                return upload.key
            raise
        require_same_parts(parts, [part for part, _ in stored])
        _write_durably(self.path(upload.key), [path for _, path in stored])
        _remove_folder(folder)
        return upload.key

    def abort_multipart(self, upload: MultipartUpload) -> None:
        _remove_folder(self.parts_folder(upload.upload_id))


def _leads_to(folder: str, prefix: str) -> bool:
    """Whether objects with this prefix may be in the folder, whose name ends with a slash."""
    is_for_objects = folder != "uploads/" and "/." not in f"/{folder}"
    return is_for_objects and (folder.startswith(prefix) or prefix.startswith(folder))


def _described(key: str, status: os.stat_result) -> StoredObject:
    return StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _write_durably(target: Path, pieces: Sequence[Path]) -> None:
    """Join files into `target`: whole or not at all, and still there after a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".incoming-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as joined:
            for piece in pieces:
                with piece.open("rb") as source:
                    shutil.copyfileobj(source, joined, _COPY_BYTES)
            joined.flush()
            os.fchmod(joined.fileno(), 0o644)  # mkstemp's 0600 would lock other services out
            os.fsync(joined.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    disk_parts.sync_folder(target.parent)


def _remove_folder(folder: Path) -> None:
    """Rename first: a part that arrives meanwhile finds no upload instead of half a folder."""
    grave = folder.with_name(f".removed-{folder.name}")
    try:
        folder.rename(grave)
    except FileNotFoundError:
        return
    shutil.rmtree(grave, ignore_errors=True)
