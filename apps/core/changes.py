"""The line on which an event loop hears of changes, and knows whether it has heard of all."""

import asyncio
import logging
from collections.abc import Iterable
from contextvars import Context
from time import monotonic
from typing import Any, Protocol

from redis.asyncio.client import PubSub
from redis.client import Pipeline
from redis.exceptions import RedisError

from apps.core import valkey

logger = logging.getLogger(__name__)

_PING_SECONDS = 1.0
# For how long a proof that the line is alive is good: a line that died without a word (a cable,
# a frozen machine) may hide a change for this long, and no longer.
_TRUST_SECONDS = 3.0
_GIVE_UP_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0


class Memory(Protocol):
    """What one kind of answers remembers; both methods are called from any thread."""

    def drop(self, key: str) -> None:
        """Forget an answer, and any that is being loaded."""

    def clear(self) -> None:
        """Forget all answers, and any that are being loaded."""


class Line:
    """One event loop's subscription; what it tells of is dropped before anything else runs.

    It lives in a task, and so ends with its loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.sure_until = 0.0
        self.memories: dict[str, Memory] = {}
        self._is_silent = False
        # A context of its own: this task outlives the request that happened to be the first.
        self._task = loop.create_task(self._follow(), name="changes", context=Context())

    def is_sure(self) -> bool:
        """Whether every change up to a moment ago has been heard."""
        return monotonic() < self.sure_until

    def drop(self, names: Iterable[str]) -> None:
        """Forget what has these names (``kind:key``)."""
        for name in names:
            kind, _, key = name.partition(":")
            memory = self.memories.get(kind)
            if memory is not None:
                memory.drop(key)

    async def _follow(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        try:
            while True:
                try:
                    async with valkey.listening_connection() as client, client.pubsub() as pubsub:
                        await self._hear(pubsub)
                except (RedisError, OSError) as error:  # a TimeoutError is an OSError
                    self._complain(error)
                except Exception:
                    logger.exception("The line of changes broke")
                pause = _FIRST_PAUSE_SECONDS if not self._is_silent else pause
                self._is_silent = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        finally:
            _lines.pop(self.loop, None)

    async def _hear(self, pubsub: PubSub) -> None:
        """Listen until the line is lost, which an unanswered ping tells when nothing else does."""
        proven_at = monotonic()
        ping_at = proven_at + _PING_SECONDS
        try:
            await pubsub.subscribe(_channel())
            while monotonic() < proven_at + _GIVE_UP_SECONDS:
                if monotonic() >= ping_at:
                    # Answered in its place among the messages: what was published before the
                    # ping was sent has been heard once its answer is here.
                    await pubsub.ping(repr(monotonic()))
                    ping_at = monotonic() + _PING_SECONDS
                wait = max(ping_at - monotonic(), 0.0)
                message: dict[str, Any] | None = await pubsub.get_message(timeout=wait)
                proven_at = self._take(message, proven_at)
            raise TimeoutError("no answer to a ping")
        finally:
            self._lose()

    def _take(self, message: dict[str, Any] | None, proven_at: float) -> float:
        """Act on a message; returns the moment up to which everything has been heard."""
        match message:
            case {"type": "message", "data": bytes(names)}:
                self.drop(names.decode().split("\n"))
            case {"type": "subscribe"}:
                self._lose()  # whatever was before this, there may be a gap
                self._is_silent = False
                self.sure_until = proven_at + _TRUST_SECONDS
            case {"type": "pong", "data": bytes(sent_at)}:
                proven_at = float(sent_at)
                self.sure_until = proven_at + _TRUST_SECONDS
        return proven_at

    def _lose(self) -> None:
        self.sure_until = 0.0
        for memory in self.memories.values():
            memory.clear()

    def _complain(self, error: Exception) -> None:
        if not self._is_silent:  # once for each time that it is lost
            logger.warning("Changes are not heard, answers come from Valkey: %s", error)


_lines: dict[asyncio.AbstractEventLoop, Line] = {}


def line() -> Line:
    """The running event loop's line, which begins with the first call."""
    loop = asyncio.get_running_loop()
    found = _lines.get(loop)
    if found is None:
        for ended in [other for other in list(_lines) if other.is_closed()]:
            _lines.pop(ended, None)
        found = _lines[loop] = Line(loop)
    return found


def publish(pipe: Pipeline, names: Iterable[str]) -> None:
    """Tell every line, at the same moment at which the pipeline's other commands happen."""
    pipe.publish(_channel(), "\n".join(names))


def drop_in_this_process(names: Iterable[str]) -> None:
    """What the lines will tell as well, at once: whoever made a change sees it."""
    names = list(names)
    for found in list(_lines.values()):
        found.drop(names)


def _channel() -> str:
    return valkey.key("changes")
