"""What all open streams of one list in this process share: one ear, and one look at the rows.

Two hundred streams that ask for the same cost what one does: rows are read and written out once,
and each stream is handed the same bytes.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.db import DatabaseError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.5
"""The least time between two looks at the rows of one list."""
GATHERING_SECONDS = 0.03
"""What comes together after quiet is read together."""
PULSE_SECONDS = 15.0
"""How often a feed looks without having been told: a lost word is made good."""

PASSING = (RedisError, OSError, DatabaseError)

type Frames = Mapping[str, bytes]
"""Events as they go out, by what a later one replaces: a row's id, or a kind of event."""


class Wish(Hashable, Protocol):
    """What some streams of a feed want to know of a change; equal ones are answered together."""


class Hearer(Protocol):
    """An open stream; its methods return at once."""

    def hear(self, frames: Frames, cursor: str) -> None:
        """These events; ``cursor`` says up to where everything is told with them."""

    def lose_track(self, cursor: str) -> None:
        """Something changed that isn't told: the client has to read the list anew."""


class Feed[W: Wish](ABC):
    """One list, as long as somebody in this process has it open."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.cursor = ""  # up to where everything was told; "" where nobody can go on from there
        self.users = 0  # streams that hear, or are about to
        self.hearers: dict[W, set[Hearer]] = {}
        # So that nobody is told an older state of a row after a newer one.
        self.reading = asyncio.Lock()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._opening: asyncio.Task[None] | None = None

    @abstractmethod
    async def begin(self) -> None:
        """From here on everything is told."""

    @abstractmethod
    async def look(self) -> None:
        """Find out what changed, and tell the hearers; called again after an engine was away."""

    @abstractmethod
    async def catch_up(self, wish: W, hearer: Hearer, since: str) -> None:
        """Tell one hearer what it missed since a cursor of any process, or that it is too much."""

    async def welcome(self, wish: W) -> None:  # noqa: B027 - a hook
        """Called before the first hearer with this wish is there."""

    def forget(self, wish: W) -> None:  # noqa: B027 - a hook
        """Called after the last hearer with this wish is gone."""

    def note(self, message: dict[str, Any]) -> None:  # noqa: B027 - a hook
        """A message of the group has come."""

    async def join(self, wish: W, hearer: Hearer) -> None:
        """From here on the hearer hears; raises RedisError or OSError."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        await asyncio.shield(self._opening)
        if wish not in self.hearers:
            await self.welcome(wish)
        self.hearers.setdefault(wish, set()).add(hearer)

    def leave(self, wish: W, hearer: Hearer) -> None:
        """The hearer hears no more."""
        hearers = self.hearers.get(wish, set())
        hearers.discard(hearer)
        if not hearers and self.hearers.pop(wish, None) is not None:
            self.forget(wish)

    def close(self) -> None:
        """Nobody listens: the ear's channel goes with its task."""
        for task in [*self._tasks, *([self._opening] if self._opening else [])]:
            task.cancel()

    def lose_track(self, cursor: str) -> None:
        """Tell everybody that there is more than could be told."""
        for hearers in list(self.hearers.values()):
            for hearer in list(hearers):
                hearer.lose_track(cursor)

    def tell(self, wish: W, frames: Frames, cursor: str) -> None:
        """Tell everybody with this wish."""
        for hearer in list(self.hearers.get(wish, ())):
            hearer.hear(frames, cursor)

    async def _open(self) -> None:
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        self._tasks.append(asyncio.create_task(self._listen(layer, channel)))
        await layer.group_add(self.group, channel)
        await self.begin()
        self._tasks.append(asyncio.create_task(self._follow()))

    async def _listen(self, layer: Any, channel: str) -> None:
        try:
            while True:
                self.note(await layer.receive(channel))
                self._wake.set()
        finally:
            with suppress(RedisError, OSError):
                await layer.group_discard(self.group, channel)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), PULSE_SECONDS)
                await asyncio.sleep(GATHERING_SECONDS)
            self._wake.clear()
            try:
                async with self.reading:
                    await self.look()
            except PASSING as error:
                logger.warning("Open lists wait: %s", error)
                self._wake.set()
            except Exception:
                # A row that can't be read must not keep the others' streams in the dark for good.
                logger.exception("The open list %s was not updated", self.group)
                self.lose_track("")
            await asyncio.sleep(TICK_SECONDS)


type Make[F] = Callable[[], F]

_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Feed[Any]]] = WeakKeyDictionary()


def feed_of[F: Feed[Any]](name: str, make: Make[F]) -> F:
    """The running loop's feed of this name, for as long as it isn't given back."""
    feeds = _feeds.setdefault(asyncio.get_running_loop(), {})
    if name not in feeds:
        feeds[name] = make()
    found: F = feeds[name]  # type: ignore[assignment]  # names say what kind it is
    found.users += 1
    return found


def give_back(name: str, feed: Feed[Any]) -> None:
    """Close the feed unless somebody else uses it."""
    feed.users -= 1
    if feed.users:
        return
    feeds = _feeds.get(asyncio.get_running_loop(), {})
    if feeds.get(name) is feed:
        del feeds[name]
    feed.close()


def open_feeds() -> int:
    """How many lists somebody has open in this process."""
    return len(_feeds.get(asyncio.get_running_loop(), {}))
