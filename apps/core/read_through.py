"""Answers kept in Valkey in front of the database, without ever hiding a change."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from redis.exceptions import RedisError

from apps.core import valkey
from apps.core.database import in_database

logger = logging.getLogger(__name__)

type Record = dict[str, Any]

# Nobody waits longer for a cache than the database takes.
_TIMEOUT_SECONDS = 0.25
# How long a change keeps readers from storing what they may have read before it.
_QUARANTINE_SECONDS = 10
_CHANGED = b""


async def read_through(
    key: str, load: Callable[[], bytes | None], *, lifetime_seconds: int
) -> bytes | None:
    """What is kept under a key, else what `load` finds in the database, kept for next time.

    Absence is not kept, so that what was just made public is there at once. A Valkey that is
    away costs a query and nothing else.
    """
    stored, may_store = await _get(key)
    if stored:
        return stored
    found = await in_database(load)
    if found is not None and may_store:
        await _store(key, found, lifetime_seconds)
    return found


async def read_record(
    key: str, load: Callable[[], Record | None], *, lifetime_seconds: int
) -> Record | None:
    """The same for a record of values that JSON can hold."""

    def load_text() -> bytes | None:
        record = load()
        return None if record is None else json.dumps(record).encode()

    text = await read_through(key, load_text, lifetime_seconds=lifetime_seconds)
    return None if text is None else json.loads(text)


async def _get(key: str) -> tuple[bytes | None, bool]:
    """What is stored, and whether it makes sense to store something."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            stored = cast("bytes | None", await valkey.async_connection().get(key))
    except (RedisError, OSError, TimeoutError):
        return None, False
    return stored, stored is None


async def _store(key: str, content: bytes, lifetime_seconds: int) -> None:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            # Only where nothing is: a change announced meanwhile must win.
            await valkey.async_connection().set(key, content, ex=lifetime_seconds, nx=True)
    except (RedisError, OSError, TimeoutError):
        logger.warning("Valkey is away: %s is read from the database", key)


def replace(contents: Mapping[str, bytes], *, lifetime_seconds: int) -> None:
    """Keep these from now on, to be called when they are committed; all of them or none."""
    try:
        with valkey.connection().pipeline() as pipe:
            for key, content in contents.items():
                pipe.set(key, content, ex=lifetime_seconds)
            pipe.execute()
    except RedisError:
        logger.warning("Valkey is away: a change may be seen late")


def announce_change(*keys: str) -> None:
    """Drop what is kept, to be called when its change is committed.

    A mark is left for a while instead of nothing: a reader who read the old row a moment before
    would otherwise put it back.
    """
    replace(dict.fromkeys(keys, _CHANGED), lifetime_seconds=_QUARANTINE_SECONDS)
