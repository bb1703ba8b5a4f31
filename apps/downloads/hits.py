"""Record a hit: into the stream in Valkey, or to disk while that is away."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis

from apps.core import valkey
from apps.downloads import spool, stream
from apps.downloads.hit import Hit

__all__ = ["Hit", "record", "settle"]

logger = logging.getLogger(__name__)

# A listener waits for nothing that a disk could take instead.
TIMEOUT_SECONDS = 0.25
# After a failure hits go straight to disk for this long.
RETRY_SECONDS = 1.0
LENGTH_CHECK_SECONDS = 1.0


@dataclass(slots=True)
class _Gate:
    """What this process knows about the stream, in seconds of the monotonic clock."""

    closed_until: float = 0.0
    length_checked_at: float = -LENGTH_CHECK_SECONDS
    # Something of an earlier life of this process may be waiting.
    is_spool_suspected: bool = True

    def close(self) -> None:
        self.closed_until = time.monotonic() + RETRY_SECONDS

    @property
    def is_open(self) -> bool:
        return time.monotonic() >= self.closed_until


_gate = _Gate()
_deliveries: set[asyncio.Task[None]] = set()


async def record(hit: Hit) -> None:
    """Make a hit durable; it is when this returns. Never raises because of an engine.

    A caller that is cancelled (its listener left) doesn't take the hit with it.
    """
    await asyncio.shield(_start(_deliver(hit.to_json())))


async def settle() -> None:
    """Wait until everything that was given to :func:`record` on this loop is done."""
    while _deliveries:
        await asyncio.gather(*_deliveries, return_exceptions=True)


def _start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(work)
    _deliveries.add(task)
    task.add_done_callback(_deliveries.discard)
    return task


async def _deliver(message: bytes) -> None:
    if not _gate.is_open or not await _is_added(message):
        await asyncio.to_thread(_spool, message)
        return
    await _check_length()
    if _gate.is_spool_suspected and _gate.is_open:
        _gate.is_spool_suspected = False
        _start(_drain())


async def _is_added(message: bytes) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await valkey.async_connection().xadd(stream.name(), {stream.FIELD: message})
    except (redis.RedisError, OSError, TimeoutError) as error:
        _gate.close()
        logger.warning("Hits go to the spool: Valkey does not answer (%s)", error)
        return False
    except asyncio.CancelledError:
        _spool(message)  # the loop is ending: there is no later
        raise
    return True


async def _check_length() -> None:
    """Close the gate while the stream is full; from time to time, not for every hit."""
    if time.monotonic() - _gate.length_checked_at < LENGTH_CHECK_SECONDS:
        return
    _gate.length_checked_at = time.monotonic()
    with suppress(redis.RedisError, OSError, TimeoutError):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            if await valkey.async_connection().xlen(stream.name()) >= stream.MAX_LENGTH:
                _gate.close()


def _spool(message: bytes) -> None:
    _gate.is_spool_suspected = True
    try:
        spool.append(message)
    except OSError:
        # The audio was sent; failing now would help nobody.
        logger.exception("A hit is lost: neither Valkey nor the spool took it")


async def _drain() -> None:
    try:
        await asyncio.to_thread(spool.drain, valkey.connection())
    except (redis.RedisError, OSError) as error:
        _gate.is_spool_suspected = True
        logger.warning("The spool could not be drained (%s)", error)
