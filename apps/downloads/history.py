"""Counting days that are closed here, from the logs of whoever sent the audio before.

Somebody moves in and brings logs of years. Such days have no key any more, or never had one: each
gets one that only this import knows, and that ends with it. Who was served which bytes is added
up in tables that only this connection sees. What is left are downloads and totals.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from uuid import UUID

from django.db import transaction

from apps.core.clock import now
from apps.downloads import first_days, shadow
from apps.downloads.batch import Batch, Message, days_of, gather
from apps.downloads.counting import count, owners_of, surroundings, write
from apps.downloads.keys import new_key
from apps.downloads.models import Coverage, DayListener, Download
from apps.downloads.window import any_day, epoch_ms, open_day

_OF_LISTENERS = (Coverage, DayListener)


@dataclass(slots=True)
class History:
    """One import: all of it is one transaction, so that a day is there whole or not at all.

    A day of a show that has downloads already is left as it is: ``left_alone`` says which.
    """

    left_alone: Counter[tuple[UUID, date]] = field(default_factory=Counter)
    _keys: dict[date, bytes] = field(default_factory=dict)
    _is_free: dict[tuple[UUID, date], bool] = field(default_factory=dict)

    def count(self, messages: Sequence[Message], also: Callable[[], None]) -> None:
        """Count messages of closed days; those of open days are counted as always."""
        at = now()
        now_ms = epoch_ms(at)
        is_open = partial(open_day, now_ms=now_ms)
        recent = [one for one in messages if one.hit is None or is_open(one.hit.at) is not None]
        closed = [one for one in messages if one.hit is not None and is_open(one.hit.at) is None]
        with transaction.atomic():
            if recent:
                count(recent, also=lambda: None, at=at, is_from_log=True)
            if closed:
                self._count_closed(closed, now_ms=now_ms)
            also()

    def finish(self) -> None:
        """Put right what was added up of these days before; to be called at the end."""
        if self._is_free:
            shows = {show for show, _ in self._is_free}
            first_days.add_up_again(shows, changed=min(day for _, day in self._is_free))

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
        with shadow.hiding(_OF_LISTENERS):
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
    """Everything that is counted within is committed at the end, or none of it."""
    with transaction.atomic():
        shadow.begin_import()
        shadow.create(_OF_LISTENERS)
        history = History()
        yield history
        history.finish()
        shadow.drop(_OF_LISTENERS)
    first_days.store_closed(now=now())  # whoever moves in need not wait for the night
