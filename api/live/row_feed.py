"""Lists whose changes are in a log: what changed is read of the database once, for all streams."""

from dataclasses import dataclass
from typing import Any, cast

from channels.db import database_sync_to_async

from api.base.rendering import to_json
from api.live.feeds import PASSING, Feed, Frames, Hearer
from api.live.wishes import RowsWish
from apps.core import valkey
from apps.core.row_news import EVERYTHING, KEPT_ENTRIES, KEPT_SECONDS, ids_in, log_key

MOST_ROWS = 500
"""More at once are not told one by one: reading the list anew is cheaper then."""
MOST_WISHES = 100
"""Each costs a query. Those who come with yet another one are told to read the list anew."""
_OVERLAP_MS = 5_000
"""So much of what was told is told again: a stream that hears several logs has one cursor."""


@dataclass(frozen=True, slots=True)
class NudgeWish:
    """That something changed, and no more: for a page that then fetches itself anew."""

    kind: str

    async def frames(self, row_ids: list[str]) -> Frames:
        """One event, however much changed."""
        return {"changed": frame("changed", {"type": "changed", "list": self.kind})}


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """The rows that match a wish as the list has them, and the ids of those that it has no more."""

    wish: RowsWish

    async def frames(self, row_ids: list[str]) -> Frames:
        """An event for each row, in the order of their changes."""
        frames: Frames = await database_sync_to_async(self._frames)(row_ids)
        return frames

    def _frames(self, row_ids: list[str]) -> Frames:
        found = self.wish.rendered(row_ids)
        return {
            row_id: upsert(row_id, found[row_id]) if row_id in found else gone(row_id)
            for row_id in row_ids
        }


type Told = NudgeWish | ChangedRows


class RowFeed(Feed[Told]):
    """Follows one log."""

    def __init__(self, group: str) -> None:
        super().__init__(group)
        self._key = log_key(group)
        self._may_have_missed = False

    async def begin(self) -> None:
        """Behind what is in the log now; Valkey's clock numbers its entries."""
        self.cursor = await _now_in_log(self._key)

    async def look(self) -> None:
        """Tell of what the log has since the last time."""
        try:
            if self._may_have_missed:
                await self.begin()
            entries = await _entries(self._key, self.cursor)
        except PASSING:
            self._may_have_missed = True  # whoever changed something could tell nobody
            raise
        if self._may_have_missed:
            self._may_have_missed = False
            self.lose_track(self.cursor)
        if not entries:
            return
        cursor, row_ids = entries[-1][0].decode(), ids_in(entries)
        if _is_too_much(entries, row_ids):
            self.lose_track(cursor)
        else:
            wishes = list(self.hearers)
            for told in wishes[:MOST_WISHES]:
                self.tell(told, await told.frames(row_ids), cursor)
            for told in wishes[MOST_WISHES:]:
                for hearer in list(self.hearers.get(told, ())):
                    hearer.lose_track(cursor)
        self.cursor = cursor

    async def catch_up(self, told: Told, hearer: Hearer, since: str) -> None:
        """From the log, while it reaches so far back."""
        async with self.reading:
            row_ids = await self._missed(since)
            if row_ids is None:
                hearer.lose_track(self.cursor)
            elif row_ids:
                hearer.hear(await told.frames(row_ids), self.cursor)

    async def _missed(self, since: str) -> list[str] | None:
        """What changed since; None when the log doesn't reach so far back."""
        now_ms, since_ms = await _milliseconds(), order_of(since)[0]
        oldest = now_ms - KEPT_SECONDS * 1000 // 2  # the log may go before it is read
        if not oldest < since_ms <= now_ms:
            return None
        entries = await _entries(self._key, f"{since_ms - _OVERLAP_MS}-0")
        row_ids = ids_in(entries)
        return None if _is_too_much(entries, row_ids) else row_ids


def _is_too_much(entries: list[Any], row_ids: list[str]) -> bool:
    # A log that is full may have lost some.
    return len(entries) >= KEPT_ENTRIES or len(row_ids) > MOST_ROWS or EVERYTHING in row_ids


def order_of(cursor: str) -> tuple[int, int]:
    """What cursors are compared by."""
    ms, _, sequence = cursor.partition("-")
    return int(ms), int(sequence)


def upsert(row_id: str, row: dict[str, Any]) -> bytes:
    """A row that is in the list, as the list has it."""
    return frame("upsert", {"type": "upsert", "id": row_id, "row": row})


def gone(row_id: str) -> bytes:
    """A row that is in the list no more, or never was: it doesn't match."""
    return frame("delete", {"type": "delete", "id": row_id})


def frame(kind: str, document: dict[str, Any]) -> bytes:
    """An event of this kind."""
    return b"event: " + kind.encode() + b"\ndata: " + to_json(document) + b"\n\n"


async def _entries(key: str, since: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Of the log, behind this id."""
    client = valkey.async_connection()
    found = await client.xrange(key, min=f"({since}", count=KEPT_ENTRIES)
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", found)


async def _milliseconds() -> int:
    seconds, micros = await valkey.async_connection().time()
    return int(seconds) * 1000 + int(micros) // 1000


async def _now_in_log(key: str) -> str:
    """A cursor behind which everything is that comes from now on."""
    ms = await _milliseconds()
    last = cast("list[tuple[bytes, Any]]", await valkey.async_connection().xrevrange(key, count=1))
    # What comes in this very millisecond must be behind it as well.
    return max([f"{ms - 1}-0", *(entry.decode() for entry, _ in last)], key=order_of)
