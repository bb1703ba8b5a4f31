"""Small records kept in Valkey in front of the database, without ever hiding a change."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

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
    key: str, load: Callable[[], Record | None], *, lifetime_seconds: int
) -> Record | None:
    """The record under a key, else what `load` finds in the database, kept for next time.

    Absence is not kept, so that what was just made public is there at once. A Valkey that is
    away costs a query and nothing else.
    """
    stored, may_store = await _get(key)
    if stored:
        return json.loads(stored)  # type: ignore[no-any-return]
    found = await in_database(load)
    if found is not None and may_store:
        await _store(key, found, lifetime_seconds)
    return found


async def _get(key: str) -> tuple[bytes | str | None, bool]:
    """What is stored, and whether it makes sense to store something."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            stored = await valkey.async_connection().get(key)
    except (RedisError, OSError, TimeoutError):
        return None, False
    return stored, stored is None


async def _store(key: str, record: Record, lifetime_seconds: int) -> None:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            # Only where nothing is: a change announced meanwhile must win.
            await valkey.async_connection().set(
                key, json.dumps(record), ex=lifetime_seconds, nx=True
            )
    except (RedisError, OSError, TimeoutError):
        logger.warning("Valkey is away: %s is read from the database", key)


def announce_change(*keys: str) -> None:
    """Drop records, to be called when their change is committed.

    A mark is left for a while instead of nothing: a reader who read the old row a moment before
    would otherwise put it back.
    """
    try:
        with valkey.connection().pipeline() as pipe:
            for key in keys:
                pipe.set(key, _CHANGED, ex=_QUARANTINE_SECONDS)
            pipe.execute()
    except RedisError:
        logger.warning("Valkey is away: a change may be seen late")
