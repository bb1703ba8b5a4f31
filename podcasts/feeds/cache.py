"""Feeds in Valkey, under every handle that a show has or had."""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from redis.exceptions import RedisError

from apps.core import valkey
from podcasts.models import FeedDocument

logger = logging.getLogger(__name__)

# How long a lost invalidation (Valkey away at the moment of the change) may be seen.
LIFETIME_SECONDS = 300
# Nobody waits longer for a cache than the database takes.
_TIMEOUT_SECONDS = 0.25


@dataclass(frozen=True)
class CachedFeed:
    """What the current handle of a show answers with."""

    handle: str
    etag: str  # without quotes
    modified_at: datetime
    xml: bytes
    gzipped: bytes


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


def _key(handle: str) -> str:
    return valkey.key("feed", handle)


def _packed(feed: CachedFeed) -> bytes:
    """One value, so that it is replaced as a whole: a line of JSON, then both documents."""
    header = {
        "handle": feed.handle,
        "etag": feed.etag,
        "modified": int(feed.modified_at.timestamp()),
        "xml_bytes": len(feed.xml),
    }
    return json.dumps(header).encode() + b"\n" + feed.xml + feed.gzipped


def _unpacked(value: bytes) -> CachedFeed:
    line, _, body = value.partition(b"\n")
    header = json.loads(line)
    return CachedFeed(
        handle=header["handle"],
        etag=header["etag"],
        modified_at=datetime.fromtimestamp(header["modified"], UTC),
        xml=body[: header["xml_bytes"]],
        gzipped=body[header["xml_bytes"] :],
    )


def put(document: FeedDocument, handle: str, handles: Iterable[str]) -> None:
    """Replace what the show's handle answers with, and make its other handles redirect."""
    value = _packed(as_cached(document, handle))
    try:
        with valkey.connection().pipeline() as pipe:
            for name in handles:
                is_current = name == handle
                moved = json.dumps({"moved_to": handle}).encode()
                pipe.set(_key(name), value if is_current else moved, ex=LIFETIME_SECONDS)
            pipe.execute()
    except RedisError:
        logger.warning("Valkey is away: the feed %s may be stale for a while", handle)


def forget(handles: Iterable[str]) -> None:
    """Let the handles be looked up in the database again."""
    try:
        valkey.connection().delete(*[_key(name) for name in handles])
    except RedisError:
        logger.warning("Valkey is away: a removed feed may be answered for a while")


async def get(handle: str) -> CachedFeed | str | None:
    """The feed under a handle, the new handle of a renamed show, or None when not kept."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            value = await valkey.async_connection().get(_key(handle))
    except (RedisError, OSError, TimeoutError):
        return None
    if not isinstance(value, bytes):
        return None
    if value.startswith(b'{"moved_to"'):
        return str(json.loads(value)["moved_to"])
    return _unpacked(value)


async def remember(feed: CachedFeed) -> None:
    """Keep a feed read from the database, unless a newer one was put meanwhile."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await valkey.async_connection().set(
                _key(feed.handle), _packed(feed), ex=LIFETIME_SECONDS, nx=True
            )
    except (RedisError, OSError, TimeoutError):
        logger.warning("Valkey is away: feeds are answered from the database")
