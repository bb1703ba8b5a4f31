"""A stream of what changes somewhere, over feeds that it shares with others.

First ``ready``: whoever reads the list after that misses nothing. Then what the feeds tell, and
``resync`` when that was too much, or is not known any more: the list has to be read anew.
"""

import asyncio
import logging
import re
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from api.base.rendering import to_json
from api.live.event_stream import COMMENT, EventStream
from api.live.feeds import PASSING, Feed, Frames, feed_of, give_back
from api.live.row_feed import order_of
from apps.core.clock import now

logger = logging.getLogger(__name__)

MOST_WAITING_BYTES = 1024 * 1024
"""Of a client that takes nothing; beyond this it is told to read the list anew."""
MOST_WAITING = 500
_CURSOR = re.compile(r"\d{1,15}-\d{1,15}")
_RESYNC = b'event: resync\ndata: {"type":"resync"}\n\n'


@dataclass(frozen=True, slots=True)
class Ear:
    """A feed, by its name, and what is wanted of it."""

    name: str
    wish: Any
    make: Callable[[], Feed[Any]] = field(compare=False)


class ChangeStream(EventStream):
    """What waits for the client: each row's newest event only, and never more than so many."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._waiting: dict[str, bytes] = {}
        self._waiting_bytes = 0
        self._cursor = ""
        self._heard: dict[Ear, Feed[Any]] = {}
        self._moving = asyncio.Lock()
        self._has_left = False

    @abstractmethod
    def ears(self) -> list[Ear]:
        """What the actor may hear, as of the last check."""

    def own_groups(self) -> list[str]:
        """What changes is heard by the feeds."""
        return []

    def hear(self, frames: Frames, cursor: str) -> None:
        """From a feed."""
        for name, frame in frames.items():
            self._waiting_bytes += len(frame) - len(self._waiting.pop(name, b""))
            self._waiting[name] = frame
        self._cursor = cursor or self._cursor
        if len(self._waiting) > MOST_WAITING or self._waiting_bytes > MOST_WAITING_BYTES:
            self.lose_track(cursor)
        elif frames:
            self.wake()

    def lose_track(self, cursor: str) -> None:
        """From a feed, or because the client takes too little."""
        self._waiting = {"resync": _RESYNC}
        self._waiting_bytes = len(_RESYNC)
        self._cursor = cursor or self._cursor
        self.wake()

    async def flush(self) -> None:
        """All events that wait, and behind them up to where that is everything."""
        frames, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        last_id = f"id: {self._cursor}\n\n".encode() if self._cursor else b""
        await self.send_body(b"".join([*frames.values(), last_id]) if frames else COMMENT)

    async def first_message(self) -> str:
        """From here on everything is told."""
        return to_json({"type": "ready", "at": now()}).decode()

    def first_event(self, text: str) -> bytes:
        """With the cursor that says so."""
        last_id = f"id: {self._cursor}\n" if self._cursor else ""
        return f"event: ready\n{last_id}data: {text}\n\n".encode()

    async def join(self) -> None:
        """Check who asks, and hear from now on."""
        await super().join()
        await self.prepare()
        await self._move()
        cursors = [feed.cursor for feed in self._heard.values() if feed.cursor]
        self._cursor = min(cursors, key=order_of, default="")

    async def prepare(self) -> None:
        """Read what is asked for; may raise ProblemError or Throttled."""

    def follow(self) -> None:
        """After a reconnection what was missed comes first."""
        super().follow()
        since = self.header(b"last-event-id")
        if since:
            self._tasks.append(asyncio.create_task(self._catch_up(since)))

    async def _catch_up(self, since: str) -> None:
        if not _CURSOR.fullmatch(since):
            self.lose_track("")
            return
        try:
            for ear, feed in list(self._heard.items()):
                await feed.catch_up(ear.wish, self, since)
        except PASSING as error:
            logger.warning("A stream could not catch up: %s", error)
            self.lose_track("")

    async def leave(self) -> None:
        """Hear nothing more."""
        self._has_left = True
        for ear in list(self._heard):
            self._stop_hearing(ear)
        await super().leave()

    async def _check_again(self, *, within_seconds: float = 0.0) -> bool:
        """Rights that change may change what is heard as well."""
        is_let_in = await super()._check_again(within_seconds=within_seconds)
        if is_let_in and set(self.ears()) != set(self._heard):
            try:
                await self._move()
            except PASSING as error:
                logger.warning("A stream could not hear more: %s", error)
            self.lose_track("")
        return is_let_in

    async def _move(self) -> None:
        """Hear what may be heard, and nothing else."""
        async with self._moving:
            wanted = self.ears()
            for ear in set(self._heard).difference(wanted):
                self._stop_hearing(ear)
            for ear in wanted:
                if ear not in self._heard:
                    await self._begin_to_hear(ear)

    async def _begin_to_hear(self, ear: Ear) -> None:
        feed = feed_of(ear.name, ear.make)
        try:
            await feed.join(ear.wish, self)
        except BaseException:
            give_back(ear.name, feed)
            raise
        self._heard[ear] = feed
        if self._has_left:
            self._stop_hearing(ear)

    def _stop_hearing(self, ear: Ear) -> None:
        feed = self._heard.pop(ear)
        feed.leave(ear.wish, self)
        give_back(ear.name, feed)
