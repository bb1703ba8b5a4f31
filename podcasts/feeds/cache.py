"""Feeds in Valkey, under every handle that a show has or had."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.core import valkey
from apps.core.read_through import announce_change, read_through, replace
from podcasts.models import FeedDocument

# How long a lost invalidation (Valkey away at the moment of the change) may be seen.
LIFETIME_SECONDS = 300


@dataclass(frozen=True)
class CachedFeed:
    """What the current handle of a show answers with."""

    handle: str
    etag: str  # without quotes
    modified_at: datetime
    xml: bytes
    gzipped: bytes


type Found = CachedFeed | str
"""A feed, or the handle to which the one asked for redirects."""


def as_cached(document: FeedDocument, handle: str) -> CachedFeed:
    """A stored document in the form in which it is answered."""
    return CachedFeed(
        handle=handle,
        # The date is part of the bytes (lastBuildDate), so it is part of the strong tag.
        etag=f"{document.content_sha256[:32]}-{int(document.modified_at.timestamp()):x}",
        modified_at=document.modified_at,
        xml=bytes(document.xml),
        gzipped=bytes(document.gzipped),
    )


async def find(handle: str, load: Callable[[], Found | None]) -> Found | None:
    """What is kept under a handle, else what ``load`` finds, kept for next time."""

    def load_packed() -> bytes | None:
        found = load()
        return None if found is None else _packed(found)

    value = await read_through(_key(handle), load_packed, lifetime_seconds=LIFETIME_SECONDS)
    return None if value is None else _unpacked(value)


def put(document: FeedDocument, handle: str, handles: Iterable[str]) -> None:
    """Replace what the show's handle answers with, and make its other handles redirect."""
    former = {_key(name): _packed(handle) for name in handles}
    current = {_key(handle): _packed(as_cached(document, handle))}
    replace(former | current, lifetime_seconds=LIFETIME_SECONDS)


def forget(handles: Iterable[str]) -> None:
    """Let the handles be looked up in the database again."""
    announce_change(*map(_key, handles))


def _key(handle: str) -> str:
    return valkey.key("feed", handle)


def _packed(found: Found) -> bytes:
    """One value, so that it is replaced as a whole: a line of JSON, then both documents."""
    if isinstance(found, str):
        return json.dumps({"moved_to": found}).encode() + b"\n"
    header = {
        "handle": found.handle,
        "etag": found.etag,
        "modified": int(found.modified_at.timestamp()),
        "xml_bytes": len(found.xml),
    }
    return json.dumps(header).encode() + b"\n" + found.xml + found.gzipped


def _unpacked(value: bytes) -> Found:
    line, _, body = value.partition(b"\n")
    header = json.loads(line)
    if "moved_to" in header:
        return str(header["moved_to"])
    return CachedFeed(
        handle=header["handle"],
        etag=header["etag"],
        modified_at=datetime.fromtimestamp(header["modified"], UTC),
        xml=body[: header["xml_bytes"]],
        gzipped=body[header["xml_bytes"] :],
    )
