"""Distinct listeners: of a show on a UTC day exactly, of a UTC month by a sketch."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import psycopg
from django.db import connection

from apps.downloads import sketch
from apps.downloads.keys import new_key
from apps.downloads.models import MonthKey
from apps.downloads.window import last_expired_day

type Month = tuple[UUID, UUID, date]
"""An organisation, its show and the first day of a month."""

# Rows in the order of their keys, so that counters at work at the same time can't block each other.
_ARRIVE = """
WITH first AS (
    SELECT DISTINCT ON (day, show_id, listener_key) id, day, show_id, listener_key
    FROM staged_downloads ORDER BY day, show_id, listener_key, is_held, id
), arrived AS (
    INSERT INTO downloads_daylistener (day, show_id, listener_key)
    SELECT day, show_id, listener_key FROM first ORDER BY day, show_id, listener_key
    ON CONFLICT DO NOTHING
    RETURNING day, show_id, listener_key
)
UPDATE staged_downloads AS new SET is_first_of_listener = true
FROM first JOIN arrived USING (day, show_id, listener_key)
WHERE new.id = first.id
RETURNING new.id
"""
_ADD = """
INSERT INTO downloads_listenertotal AS total (organization_id, show_id, day, listeners)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::date[], %s::bigint[])
ON CONFLICT (show_id, day) DO UPDATE SET listeners = total.listeners + excluded.listeners
"""
_ADD_ALL = """
INSERT INTO downloads_listenertotal AS total (organization_id, show_id, day, listeners)
SELECT organization_id, show_id, day, count(*) FROM downloads_download
WHERE is_first_of_listener AND held_address IS NULL
GROUP BY organization_id, show_id, day ORDER BY show_id, day
ON CONFLICT (show_id, day) DO UPDATE SET listeners = total.listeners + excluded.listeners
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


def arrive() -> set[int]:
    """Note who is in the staged downloads, and mark each new listener's first one; their ids."""
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVE)
        return {row[0] for row in cursor.fetchall()}


def add_to_days(new: Iterable[tuple[UUID, UUID, date]]) -> None:
    """Add one listener for each (organisation, show, UTC day) to the day's total."""
    counts = Counter(new)
    if not counts:
        return
    rows = [(*key, count) for key, count in sorted(counts.items(), key=lambda item: item[0][1:])]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])


def add_all_to_days() -> None:
    """Add the listeners of every download that there is."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD_ALL)


_MARK_FIRST = """
UPDATE downloads_download AS download SET is_first_of_listener = ranked.is_first
FROM (
    SELECT coverage.download_id, row_number() OVER (
        PARTITION BY coverage.show_id, coverage.listener_key
        ORDER BY counted.held_address IS NOT NULL, coverage.attributed_at, counted.id
    ) = 1 AS is_first
    FROM downloads_coverage AS coverage
    JOIN downloads_download AS counted ON counted.id = coverage.download_id
    WHERE coverage.day = %s AND coverage.show_id = ANY(%s)
) AS ranked
WHERE download.id = ranked.download_id AND download.is_first_of_listener <> ranked.is_first
"""
_LEAVE = """
DELETE FROM downloads_daylistener AS listener
WHERE day = %s AND show_id = ANY(%s) AND NOT EXISTS (
    SELECT FROM downloads_coverage AS coverage
    WHERE coverage.day = listener.day AND coverage.listener_key = listener.listener_key
        AND coverage.show_id = listener.show_id AND coverage.download_id IS NOT NULL
)
"""
_FORGET = "DELETE FROM downloads_listenertotal WHERE day = %s AND show_id = ANY(%s)"
_ADD_UP = """
INSERT INTO downloads_listenertotal (organization_id, show_id, day, listeners)
SELECT organization_id, show_id, day, count(*) FROM downloads_download
WHERE day = %s AND show_id = ANY(%s) AND is_first_of_listener AND held_address IS NULL
GROUP BY organization_id, show_id, day
"""


def recount(day: date, shows: Collection[UUID]) -> None:
    """Count the listeners of these shows on an open day anew, after downloads were taken back."""
    with connection.cursor() as cursor:
        for statement in (_MARK_FIRST, _LEAVE, _FORGET, _ADD_UP):
            cursor.execute(statement, [day, list(shows)])


def month_keys(months: Collection[date]) -> dict[date, bytes]:
    """The keys of these months; a month without one gets one."""
    keys = _existing(months)
    missing = [MonthKey(month=month, key=new_key()) for month in months if month not in keys]
    if missing:
        MonthKey.objects.bulk_create(missing, ignore_conflicts=True)
        keys = _existing(months)
    return keys


def open_month_keys(*, now: datetime) -> None:
    """Make the keys of the months that are not over yet: one, or two for some days."""
    first_open = last_expired_day(now) + timedelta(days=1)
    month_keys({day.replace(day=1) for day in (first_open, now.date())})


def _existing(months: Collection[date]) -> dict[date, bytes]:
    return {row.month: bytes(row.key) for row in MonthKey.objects.filter(month__in=months)}


def add_to_months(new: Mapping[Month, Collection[bytes]]) -> None:
    """Add listeners, by their keys of the month, to the sketches of shows."""
    _change_months(new, lambda month, before: sketch.add(before, new[month]))


def unite_months(new: Mapping[Month, bytes]) -> None:
    """Unite sketches, made under the same keys, with those of shows."""
    _change_months(new, lambda month, before: sketch.unite(before, new[month]))


def _change_months(new: Iterable[Month], change: Callable[[Month, bytes], bytes]) -> None:
    months = sorted(new, key=lambda one: one[1:])
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
            if (united := change(each, before[each[1:]])) != before[each[1:]]
        ]
    if changed:
        # Beside the statement: within it sketches would be twice as long, and be read as text.
        with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(_STORE, [list(column) for column in zip(*changed, strict=True)])


def destroy_expired_month_keys(*, now: datetime) -> int:
    """Delete the keys of months whose last day is closed; how many there were."""
    first_open_month = (last_expired_day(now) + timedelta(days=1)).replace(day=1)
    deleted, _ = MonthKey.objects.filter(month__lt=first_open_month).delete()
    return deleted
