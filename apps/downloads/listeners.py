"""Distinct listeners of shows on UTC days, exactly; those of months are in months.py."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date
from uuid import UUID

from django.db import connection

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
