"""Record a hit: into the stream in Valkey, or to disk while that is away."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary

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
MAX_ROUND_TRIP_HITS = 500


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


class _Sender:
    """One per event loop: what is recorded during a round trip shares the next one."""

    def __init__(self) -> None:
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._under_way: list[tuple[bytes, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    def send(self, message: bytes) -> asyncio.Future[None]:
        """Done when the message is durable."""
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()
        self._waiting.append((message, durable))
        if self._task is None:
            self._task = loop.create_task(self._work())
            self._task.add_done_callback(self._end)
        return durable

    async def settle(self) -> None:
        """Wait until nothing is left to send."""
        while self._task is not None:
            await asyncio.wait([self._task])
            await asyncio.sleep(0)  # the task's callback may still be due

    async def _work(self) -> None:
        while self._waiting:
            self._under_way = self._waiting[:MAX_ROUND_TRIP_HITS]
            del self._waiting[:MAX_ROUND_TRIP_HITS]
            await _deliver([message for message, _ in self._under_way])
            for _, durable in self._under_way:
                if not durable.done():
                    durable.set_result(None)
            self._under_way = []
        # At once, not in the callback: what comes before that would wait for a task that is over.
        self._task = None

    def _end(self, task: asyncio.Task[None]) -> None:
        """The loop may be ending with hits in hand: there is no later for them but the disk."""
        if self._task is not task:
            return
        left = [*self._under_way, *self._waiting]
        self._under_way, self._waiting, self._task = [], [], None
        if left:
            _spool([message for message, _ in left])
        for _, durable in left:
            if not durable.done():
                durable.set_result(None)  # a response waits for it


_senders: WeakKeyDictionary[asyncio.AbstractEventLoop, _Sender] = WeakKeyDictionary()


def _sender() -> _Sender:
    return _senders.setdefault(asyncio.get_running_loop(), _Sender())


async def record(hit: Hit) -> None:
    """Make a hit durable; it is when this returns. Never raises because of an engine.

    A caller that is cancelled (its listener left) doesn't take the hit with it.
    """
    await asyncio.shield(_sender().send(hit.to_json()))


async def settle() -> None:
    """Wait until everything that was given to :func:`record` on this loop is durable."""
    await _sender().settle()


async def _deliver(messages: Sequence[bytes]) -> None:
    if not _gate.is_open or not await _are_added(messages):
        await asyncio.to_thread(_spool, messages)
        return
    await _check_length()
    if _gate.is_spool_suspected and _gate.is_open:
        _gate.is_spool_suspected = False
        asyncio.get_running_loop().run_in_executor(None, _drain)  # new hits don't wait for old ones


async def _are_added(messages: Sequence[bytes]) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            pipe = valkey.async_connection().pipeline(transaction=False)
            for message in messages:
                pipe.xadd(stream.name(), {stream.FIELD: message})
            await pipe.execute()
    except (redis.RedisError, OSError, TimeoutError) as error:
        _gate.close()
        logger.warning("Hits go to the spool: Valkey does not answer (%r)", error)
        return False
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


def _spool(messages: Sequence[bytes]) -> None:
    _gate.is_spool_suspected = True
    try:
        spool.append(*messages)
    except OSError:
        # The audio was sent; failing now would help nobody.
        logger.exception("%d hits are lost: neither Valkey nor the spool took them", len(messages))


def _drain() -> None:
    try:
        spool.drain(valkey.connection())
    except (redis.RedisError, OSError) as error:
        _gate.is_spool_suspected = True
        logger.warning("The spool could not be drained (%r)", error)
