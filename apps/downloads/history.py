"""Counting days that are closed here, from the logs of whoever sent the audio before.

Somebody moves in and brings logs of years. Such days have no key any more, or never had one: each
gets one that only this import knows, and that ends with it. All is counted in tables that only this
connection sees, so that counters wait for the end of it alone, where downloads and totals are added
to the real ones: they are what is left.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from uuid import UUID

from django.db import connection, transaction

from apps.core.clock import now
from apps.downloads import first_days, listeners, months, rollups, shadow
from apps.downloads.batch import Batch, Message, days_of, gather
from apps.downloads.counting import count, owners_of, surroundings, write
from apps.downloads.keys import new_key
from apps.downloads.locks import BusyError
from apps.downloads.models import Download, DropTally, MonthArrival, MonthListeners
from apps.downloads.shadow import WRITTEN, shadow_of
from apps.downloads.tallies import tally_from
from apps.downloads.window import any_day, epoch_ms, open_day

# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x4C6F6E67_48697374

_ADD_DOWNLOADS = "INSERT INTO downloads_download SELECT * FROM {new} ORDER BY id"
_MONTHS = "SELECT organization_id, show_id, month, sketch FROM {new}"


@dataclass(slots=True)
class History:
    """One import: all of it is one transaction, so that a day is there whole or not at all.

    A day of a show that has downloads already is left as it is: ``left_alone`` says which.
    """

    left_alone: Counter[tuple[UUID, date]] = field(default_factory=Counter)
    _keys: dict[date, bytes] = field(default_factory=dict)
    _is_free: dict[tuple[UUID, date], bool] = field(default_factory=dict)

    def count(self, messages: Sequence[Message], also: Callable[[], None]) -> None:
        """Count messages of closed days; those of open days are counted as always, but alone.

        For it is batch after batch in one transaction: this import and a counter would each hold
        rows that the other one wants.
        """
        at = now()
        now_ms = epoch_ms(at)
        is_open = partial(open_day, now_ms=now_ms)
        recent = [one for one in messages if one.hit is None or is_open(one.hit.at) is not None]
        closed = [one for one in messages if one.hit is not None and is_open(one.hit.at) is None]
        with transaction.atomic():
            if recent:
                shadow.wait_to_count_alone()
                count(recent, also=lambda: None, at=at, is_from_log=True)
            if closed:
                self._count_closed(closed, now_ms=now_ms)
            also()

    def finish(self) -> None:
        """Put right what was kept of these days before; to be called at the end."""
        new = [show_and_day for show_and_day, is_free in self._is_free.items() if is_free]
        if new:
            shows = {show for show, _ in new}
            first_days.add_up_again(shows, changed=min(day for _, day in new))

    def _count_closed(self, messages: Sequence[Message], *, now_ms: int) -> None:
        day_of = partial(any_day, now_ms=now_ms)
        for day in days_of(messages, day_of):
            self._keys.setdefault(day, new_key())
        around = replace(
            surroundings((), at=now()),
            day_of=day_of,
            day_keys=self._keys,
            owners=owners_of([one.hit.episode for one in messages if one.hit is not None]),
        )
        batch = gather(messages, around)
        self._leave_alone(batch)
        with shadow.hiding(WRITTEN):
            write(batch, at=None)

    def _leave_alone(self, batch: Batch) -> None:
        """Take out what belongs to days of shows that were counted before."""
        for lookup, piece in list(batch.pieces.items()):
            if not self._is_free_day(piece.owner.show, piece.key.day):
                self.left_alone[piece.owner.show, piece.key.day] += 1
                del batch.pieces[lookup]
        for key in list(batch.drops):
            if key.show is not None and not self._is_free_day(key.show, key.day):
                del batch.drops[key]

    def _is_free_day(self, show: UUID, day: date) -> bool:
        """Asked before the first download of this import, and remembered."""
        is_free = self._is_free.get((show, day))
        if is_free is None:
            is_free = not Download.objects.filter(show_id=show, day=day).exists()
            self._is_free[show, day] = is_free
        return is_free


@contextmanager
def importing() -> Iterator[History]:
    """Everything that is counted within is committed at the end, or none of it.

    Raises BusyError beside another import: each would take the same days for free ones.
    """
    # Not within: counters would wait for the keys, and days be opened and closed after it only, for
    # whoever makes a table like another one holds that one to the end.
    months.open_keys(now=now())
    shadow.create(WRITTEN)
    with transaction.atomic():
        _begin_alone()
        history = History()
        yield history
        shadow.wait_for_recounts()
        _add_to_real()
        history.finish()
    shadow.drop(WRITTEN)
    first_days.store_closed(now=now())  # whoever moves in need not wait for the night


def _begin_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise BusyError("Another import of history is at work: try again after it.")


def _add_to_real() -> None:
    """In the counters' order."""
    with shadow.hiding([MonthArrival, MonthListeners]):
        months.fold_all()
    with connection.cursor() as cursor:
        cursor.execute(_ADD_DOWNLOADS.format(new=shadow_of(Download)))
        cursor.execute(_MONTHS.format(new=shadow_of(MonthListeners)))
        sketches = {(*month,): bytes(sketch) for *month, sketch in cursor.fetchall()}
    with shadow.hiding([Download]):
        rollups.add_all()
        listeners.add_all_to_days()
    months.unite(sketches)
    tally_from(shadow_of(DropTally))
