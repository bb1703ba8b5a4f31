"""Listeners of shows in UTC months: sketches, and what has arrived and is not in them yet.

A sketch is read and written as a whole, so a batch leaves them alone: it appends the marks of its
new listeners, and counters fold those into the sketches every some seconds. A listener is in the
one or the other, whatever dies, or (for who reads) in both, which changes nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.core.ids import new_id
from apps.downloads import beside, shadow, sketch
from apps.downloads.keys import new_key
from apps.downloads.models import MonthKey
from apps.downloads.window import last_expired_day

type Month = tuple[UUID, UUID, date]
"""An organisation, its show and the first day of a month."""

type Place = tuple[UUID, date, UUID]
"""A show, the first day of a month and a batch: the order in which arrivals are folded."""

BEGINNING: Place = (UUID(int=0), date.min, UUID(int=0))
# Some 0.2 s if each is of another sketch; a counter counts nothing meanwhile.
FOLDED_AT_ONCE = 500

_ARRIVE = """
INSERT INTO downloads_montharrival (show_id, month, batch, organization_id, marks)
SELECT show_id, month, %s, organization_id, marks
FROM unnest(%s::uuid[], %s::uuid[], %s::date[], %b::bytea[]) AS new (
    organization_id, show_id, month, marks
)
"""
# By their places on the disk: nobody changes an arrival, and whoever is folding others is left
# alone. Show by show, so that a sketch is rewritten once for all batches.
_TAKE = """
DELETE FROM downloads_montharrival WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM downloads_montharrival WHERE (show_id, month, batch) > (%s, %s, %s)
    ORDER BY show_id, month, batch LIMIT %s FOR UPDATE SKIP LOCKED
))
RETURNING organization_id, show_id, month, batch, marks
"""
_BEGIN_SKETCHES = """
INSERT INTO downloads_monthlisteners (organization_id, show_id, month, sketch, listeners)
SELECT organization_id, show_id, month, %s, 0
FROM unnest(%s::uuid[], %s::uuid[], %s::date[]) AS new (organization_id, show_id, month)
ON CONFLICT (show_id, month) DO NOTHING
"""
_SKETCHES = """
SELECT show_id, month, sketch FROM downloads_monthlisteners
WHERE (show_id, month) IN (SELECT * FROM unnest(%s::uuid[], %s::date[]))
ORDER BY show_id, month FOR UPDATE
"""
_STORE = """
UPDATE downloads_monthlisteners AS stored SET sketch = new.sketch, listeners = new.listeners
FROM unnest(%s::uuid[], %s::date[], %b::bytea[], %s::bigint[]) AS new (
    show_id, month, sketch, listeners
)
WHERE stored.show_id = new.show_id AND stored.month = new.month
"""
# In one statement, for arrivals may be folded at any moment.
_READ = """
SELECT month, stored.listeners, CASE WHEN arrived.marks IS NOT NULL THEN stored.sketch END,
    arrived.marks
FROM (
    SELECT month, listeners, sketch FROM downloads_monthlisteners
    WHERE show_id = %(show)s AND month BETWEEN %(first)s AND %(last)s
) AS stored
FULL JOIN (
    SELECT month, string_agg(marks, ''::bytea) AS marks FROM downloads_montharrival
    WHERE show_id = %(show)s AND month BETWEEN %(first)s AND %(last)s GROUP BY month
) AS arrived USING (month)
"""


def keys_of(months: Collection[date]) -> dict[date, bytes]:
    """The keys of these months; a month without one gets one."""
    keys = _existing(months)
    missing = [MonthKey(month=month, key=new_key()) for month in months if month not in keys]
    if missing:
        MonthKey.objects.bulk_create(missing, ignore_conflicts=True)
        keys = _existing(months)
    return keys


def open_keys(*, now: datetime) -> None:
    """Make the keys of the months that are not over yet: one, or two for some days."""
    first_open = last_expired_day(now) + timedelta(days=1)
    keys_of({day.replace(day=1) for day in (first_open, now.date())})


def _existing(months: Collection[date]) -> dict[date, bytes]:
    return {row.month: bytes(row.key) for row in MonthKey.objects.filter(month__in=months)}


def add(new: Mapping[Month, Collection[bytes]]) -> None:
    """Note new listeners, by their keys of the month, to be folded later."""
    rows = [(*month, sketch.marks(new[month])) for month in sorted(new, key=_place)]
    if rows:
        beside.execute(_ARRIVE, [new_id(), *(list(column) for column in zip(*rows, strict=True))])


@transaction.atomic
def fold(after: Place = BEGINNING) -> Place | None:
    """Bring some arrivals into the sketches; after which one to go on, or None at the end."""
    shadow.wait_for_recounts()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [*after, FOLDED_AT_ONCE])
        taken = cursor.fetchall()
    owners: dict[UUID, UUID] = {}
    arrived: defaultdict[Month, list[bytes]] = defaultdict(list)
    for organization, show, month, _, marks in taken:
        # One for each show: a sketch that is named twice would be stored with half of it.
        arrived[owners.setdefault(show, organization), show, month].append(marks)
    _change({month: b"".join(marks) for month, marks in arrived.items()}, sketch.add)
    if len(taken) < FOLDED_AT_ONCE:
        return None
    return max((show, month, batch) for _, show, month, batch, _ in taken)


def fold_all() -> None:
    """Bring all that has arrived into the sketches, but for what another counter is folding."""
    place: Place | None = BEGINNING
    while place is not None:
        place = fold(place)


def unite(new: Mapping[Month, bytes]) -> None:
    """Unite sketches, made under the same keys, with those of shows."""
    _change(new, sketch.unite)


def _change[New](new: Mapping[Month, New], change: Callable[[bytes, New], bytes]) -> None:
    months = sorted(new, key=_place)
    if not months:
        return
    with connection.cursor() as cursor:
        columns = [list(column) for column in zip(*months, strict=True)]
        cursor.execute(_BEGIN_SKETCHES, [sketch.empty(), *columns])
        cursor.execute(_SKETCHES, columns[1:])
        before = {(show, month): bytes(stored) for show, month, stored in cursor.fetchall()}
        changed = [
            (each[1], each[2], united, sketch.count(united))
            for each in months
            if (united := change(before[each[1:]], new[each])) != before[each[1:]]
        ]
    if changed:
        beside.execute(_STORE, [list(column) for column in zip(*changed, strict=True)])


def _place(month: Month) -> tuple[UUID, date]:
    return month[1:]


def listeners_by_month(show: UUID, first: date, last: date) -> dict[date, int]:
    """About how many listeners a show had in each month that begins in these days."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"show": show, "first": first, "last": last})
        rows = cursor.fetchall()
    return {
        month: stored if marks is None else sketch.count(sketch.add(held or sketch.empty(), marks))
        for month, stored, held, marks in rows
    }


def destroy_expired_keys(*, now: datetime) -> int:
    """Delete the keys of months whose last day is closed; how many there were.

    What arrived under them is folded first, while nobody counts: nothing outlives its key. Raises
    BusyError when somebody counts for long.
    """
    first_open_month = (last_expired_day(now) + timedelta(days=1)).replace(day=1)
    expired = MonthKey.objects.filter(month__lt=first_open_month)
    if not expired.exists():
        return 0
    with transaction.atomic():
        shadow.stop_counting()
        fold_all()
        deleted, _ = expired.delete()
    return deleted
