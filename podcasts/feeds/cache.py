"""Feeds in the process and in Valkey, under every handle that a show has or had."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.core.local_cache import Bounds
from apps.core.read_through import ReadThrough
from podcasts.models import FeedDocument

# How long a lost invalidation (Valkey away at the moment of the change) may be seen.
LIFETIME_SECONDS = 300
_KEPT_IN_PROCESS = 10_000
_BYTES_IN_PROCESS = 64 * 1024 * 1024


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


def entity_tag(content_sha256: str, modified_at: datetime) -> str:
    """A feed's strong tag, without quotes.

    The date is part of the bytes (lastBuildDate), so it is part of the tag.
    """
    return f"{content_sha256[:32]}-{int(modified_at.timestamp()):x}"


def as_cached(document: FeedDocument, handle: str) -> CachedFeed:
    """A stored document in the form in which it is answered."""
    return CachedFeed(
        handle=handle,
        etag=entity_tag(document.content_sha256, document.modified_at),
        modified_at=document.modified_at,
        xml=bytes(document.xml),
        gzipped=bytes(document.gzipped),
    )


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


def _size_of(found: Found) -> int:
    return len(found) if isinstance(found, str) else len(found.xml) + len(found.gzipped)


_kept = ReadThrough[str, Found](
    "feed",
    parse_key=str,
    pack=_packed,
    unpack=_unpacked,
    lifetime_seconds=LIFETIME_SECONDS,
    bounds=Bounds(entries=_KEPT_IN_PROCESS, total_bytes=_BYTES_IN_PROCESS, size_of=_size_of),
)


async def find(handle: str, load: Callable[[str], Found | None]) -> Found | None:
    """What is kept under a handle, else what ``load`` finds, kept for next time."""
    return await _kept.find(handle, load)


def put(document: FeedDocument, handle: str, handles: Iterable[str]) -> None:
    """Replace what the show's handle answers with, and make its other handles redirect."""
    answers: dict[str, Found] = dict.fromkeys(handles, handle)
    _kept.replace(answers | {handle: as_cached(document, handle)})


def forget(handles: Iterable[str]) -> None:
    """Let the handles be looked up in the database again."""
    _kept.announce_change(handles)
