"""Lists that grow too fast to be told row by row: what a live board hears each second is enough."""

import json
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from channels.db import database_sync_to_async

from api.live.feeds import Feed, Frames, Hearer
from api.live.row_feed import frame, upsert
from api.live.wishes import RowsWish
from apps.live.boards import current_text
from apps.live.groups import Board, keep_open

NEWEST = 50
"""So many rows are told of one second, however many there were."""
_ACTIVITY = ("total", "listeners_now", "bytes_per_second", "minutes")

type Message = dict[str, Any]


class BoardWish(Hashable, Protocol):
    """What is told when a board says something new."""

    async def known(self) -> frozenset[str]:
        """What whoever begins to hear now can read for themselves."""

    async def frames(
        self, before: Message, message: Message, told: frozenset[str]
    ) -> tuple[Frames, frozenset[str]]:
        """The events, and what is known with them."""


@dataclass(frozen=True, slots=True)
class Grown:
    """That a board's figures changed, for a page that then fetches itself anew."""

    kind: str

    async def known(self) -> frozenset[str]:
        """Nothing in particular."""
        return frozenset()

    async def frames(
        self, before: Message, message: Message, told: frozenset[str]
    ) -> tuple[Frames, frozenset[str]]:
        """One event, if there is anything new in this list."""
        names = ("total",) if self.kind == "downloads" else _ACTIVITY
        if all(before.get(name) == message.get(name) for name in names):
            return {}, told
        return {"changed": frame("changed", {"type": "changed", "list": self.kind})}, told


@dataclass(frozen=True, slots=True)
class NewestRows:
    """The newest downloads that match a wish, and how many were counted altogether."""

    wish: RowsWish

    async def known(self) -> frozenset[str]:
        """Those that the list begins with."""
        found: frozenset[str] = await database_sync_to_async(self._newest_ids)()
        return found

    async def frames(
        self, before: Message, message: Message, told: frozenset[str]
    ) -> tuple[Frames, frozenset[str]]:
        """Oldest first, as they were counted; the number comes last."""
        count = message["total"] - before["total"]
        if not count:
            return {}, told
        rows = await database_sync_to_async(self._newest)()
        frames = {name: upsert(name, rows[name]) for name in reversed(rows) if name not in told}
        counted = {"type": "counted", "count": count, "total": message["total"]}
        # Each number is told, also to a client that takes its time.
        frames[f"counted {message['sequence']}"] = frame("counted", counted)
        return frames, frozenset(rows)

    def _newest(self) -> dict[str, dict[str, Any]]:
        return self.wish.render(self.wish.rows().order_by("-counted_at", "-pk")[:NEWEST])

    def _newest_ids(self) -> frozenset[str]:
        newest = self.wish.rows().order_by("-counted_at", "-pk")[:NEWEST]
        return frozenset(str(row.pk) for row in newest)


class BoardFeed(Feed[BoardWish]):
    """Hears what is sent to everybody who has a board open; keeps the board open."""

    def __init__(self, board: Board) -> None:
        super().__init__(board.group)
        self._board = board
        self._told: dict[BoardWish, frozenset[str]] = {}
        self._before: Message = {}
        self._newest: Message = {}

    async def begin(self) -> None:
        """From what the board says now."""
        await keep_open(self._board)
        self._before = json.loads(await database_sync_to_async(current_text)(self._board))

    def note(self, message: dict[str, Any]) -> None:
        """The board's whole state."""
        self._newest = json.loads(message["text"])

    async def welcome(self, wish: BoardWish) -> None:
        """What is in the list already is no news."""
        if wish not in self._told:
            self._told.setdefault(wish, await wish.known())

    def forget(self, wish: BoardWish) -> None:
        """The next one begins anew."""
        self._told.pop(wish, None)

    async def look(self) -> None:
        """Tell what the board's newest message has that the one before had not."""
        await keep_open(self._board)
        before, message = self._before, self._newest
        if not message or message["sequence"] <= before["sequence"]:
            return
        epochs = {before["epoch"], message["epoch"]} - {None}  # None while Valkey is away
        if len(epochs) > 1 or message["total"] < before["total"]:
            self.lose_track("")  # counted again: what was told may not be so any more
        else:
            for wish in list(self.hearers):
                await self._tell_of(wish, before, message)
        self._before = message

    async def _tell_of(self, wish: BoardWish, before: Message, message: Message) -> None:
        """Unless its last hearer has gone, which may happen at every await."""
        told = self._told.get(wish)
        if told is None:
            return
        frames, told = await wish.frames(before, message, told)
        if wish in self._told:
            self.tell(wish, frames, "")
            self._told[wish] = told

    async def catch_up(self, wish: BoardWish, hearer: Hearer, since: str) -> None:
        """Nobody keeps what was told of downloads: the list has them."""
        hearer.lose_track("")
