"""Collecting garbage: rows that nothing refers to and objects that no row names, after a grace."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from apps.media import strays, unused_rows
from apps.media.retention import delete_unused_objects, named_keys


@dataclass(slots=True)
class Collected:
    """What a run removed, or would remove."""

    rows: int = 0  # originals with their renditions, and pictures
    objects: int = 0
    size_bytes: int = 0  # of the objects
    is_complete: bool = True  # False when the time was up: the next run goes on

    def __str__(self) -> str:
        rest = "" if self.is_complete else "; the time was up, the next run goes on"
        return f"{self.rows} rows and {self.objects} objects of {self.size_bytes:,} bytes{rest}"


@dataclass(frozen=True, slots=True)
class _Run:
    """One collection: its moment, its end, and what becomes of what it finds."""

    at: datetime
    delete_unnamed: Callable[[Iterable[str]], set[str]]
    tell: Callable[[str], None]
    ends_at: float = float("inf")  # on the monotonic clock
    found: Collected = field(default_factory=Collected)

    @property
    def before(self) -> datetime:
        """What has been unused since then has had its time of grace."""
        return self.at - settings.GARBAGE_GRACE

    def while_in_time[T](self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            if time.monotonic() > self.ends_at:
                self.found.is_complete = False
                return
            yield item


def collect_garbage(
    at: datetime, *, tell: Callable[[str], None], time_limit: timedelta = timedelta.max
) -> Collected:
    """Remove what was unused throughout ``GARBAGE_GRACE``, and note what is unused now.

    May run at any moment, also beside another run. ``tell`` hears a line for each thing removed.
    """
    run = _Run(at, delete_unused_objects, tell, time.monotonic() + time_limit.total_seconds())
    unused_rows.note(run.at)
    _collect(run)
    # Last: what is noted here is not due for long, and in a large store it may take all the time.
    for page in run.while_in_time(strays.pages()):
        strays.note(page, run.at)
    return run.found


def find_garbage(at: datetime, *, tell: Callable[[str], None]) -> Collected:
    """What a collection would remove at this moment: the same, but it is all taken back."""
    run = _Run(at, _unnamed, tell)
    with transaction.atomic():
        _collect(run)
        transaction.set_rollback(True)
    return run.found


def _unnamed(keys: Iterable[str]) -> set[str]:
    wanted = set(keys)
    return wanted - named_keys(wanted)


def _collect(run: _Run) -> None:
    for row in run.while_in_time(unused_rows.overdue(run.before)):
        if unused_rows.discard(row, run.before):
            run.found.rows += 1
            run.tell(row.description)
            _delete_unnamed(run, row.objects)
    for stray in run.while_in_time(strays.overdue(run.before)):
        _delete_unnamed(run, {stray.key: stray.size_bytes})


def _delete_unnamed(run: _Run, objects: Mapping[str, int]) -> None:
    """Those of these objects that no row names any more; their lengths are known."""
    for key in sorted(run.delete_unnamed(objects)):
        run.found.objects += 1
        run.found.size_bytes += objects[key]
        run.tell(f"object {key}, {objects[key]:,} bytes")
