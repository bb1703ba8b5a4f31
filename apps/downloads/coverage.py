"""Uniting a batch's bytes with the rows of coverage: one upsert, and what it made of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from psycopg.types.multirange import Int8Multirange
from psycopg.types.range import Int8Range

from apps.downloads.batch import CoverageKey, Piece
from apps.downloads.intervals import Interval, union
from apps.downloads.staging import Staging, staged_day, staged_time_ms

# A client that asks for single bytes all day could make one row grow without end, and every
# batch would rewrite it. Thousands of separate ranges fit in this; no player makes as many.
MAX_SERVED_STORED_BYTES = 64 * 1024

_STAGED = Staging(
    "staged_coverage",
    {
        "number": "int4",
        "day": "date",
        "episode_id": "uuid",
        "listener_key": "bytea",
        "rendition_id": "uuid",
        "organization_id": "uuid",
        "show_id": "uuid",
        "first_byte": "int8",
        "end_byte": "int8",
        "scattered": "int8multirange",
        "threshold_bytes": "int8",
        "first_at": "timestamptz",
        "referrer": "text",
        "is_sent_on": "bool",
    },
)

# Rows are locked in the order of their keys, so that counters at work at the same time wait for
# each other and never in a circle.
_UNITE = """
WITH united AS (
    INSERT INTO downloads_coverage AS coverage (
        day, episode_id, listener_key, rendition_id, organization_id, show_id, served,
        threshold_bytes, first_at, referrer, is_sent_on, is_provisional
    )
    SELECT day, episode_id, listener_key, rendition_id, organization_id, show_id,
        coalesce(scattered, int8multirange(int8range(first_byte, end_byte))),
        threshold_bytes, first_at, referrer, is_sent_on, false
    FROM staged_coverage
    ORDER BY day, episode_id, listener_key, rendition_id
    ON CONFLICT (day, episode_id, listener_key, rendition_id) DO UPDATE SET
        served = CASE
            WHEN pg_column_size(coverage.served) > %s THEN coverage.served
            ELSE coverage.served + excluded.served
        END,
        first_at = least(coverage.first_at, excluded.first_at),
        referrer = coalesce(
            least(nullif(coverage.referrer, ''), nullif(excluded.referrer, '')), ''
        ),
        is_sent_on = coverage.is_sent_on OR excluded.is_sent_on
    RETURNING day, episode_id, listener_key, rendition_id, first_at, referrer, is_sent_on,
        download_id, attributed_at, is_provisional,
        longwave_reaches(served, threshold_bytes) AS has_reached
)
SELECT new.number, united.first_at, united.referrer, download_id, has_reached
FROM united JOIN staged_coverage AS new USING (day, episode_id, listener_key, rendition_id)
WHERE CASE WHEN download_id IS NULL THEN has_reached OR united.is_sent_on
    ELSE united.first_at < attributed_at OR (is_provisional AND has_reached) END
"""


class Reached(NamedTuple):
    """A row that makes a download, or whose download has to be amended.

    ``piece`` is what this batch added to it, the rest what all batches did. ``has_bytes`` says
    whether the bytes reached the threshold; without, somebody else was asked to send them.
    """

    piece: Piece
    first_at: datetime
    referrer: str
    download: int | None
    has_bytes: bool

    @property
    def key(self) -> CoverageKey:
        """Which row it is."""
        return self.piece.key

    @property
    def precedence(self) -> tuple[bool, datetime, int]:
        """Of several versions of a file, the least one makes the download."""
        return (not self.has_bytes, self.first_at, self.key.rendition.int)


def unite(pieces: Collection[Piece]) -> list[Reached]:
    """Add the pieces to their rows; what that makes a download, or changes of one."""
    if not pieces:
        return []
    numbered = list(pieces)
    _STAGED.fill(map(_row, range(len(numbered)), numbered))
    with connection.cursor() as cursor:
        cursor.execute(_UNITE, [MAX_SERVED_STORED_BYTES])
        return [Reached(numbered[number], *rest) for number, *rest in cursor.fetchall()]


def _row(number: int, piece: Piece) -> tuple[Any, ...]:
    key, owner = piece.key, piece.owner
    return (
        number,
        staged_day(key.day),
        key.episode.bytes,
        key.listener_key,
        key.rendition.bytes,
        owner.organization.bytes,
        owner.show.bytes,
        *_in_columns(union(piece.sent)),
        piece.threshold_bytes,
        staged_time_ms(piece.first_at_ms),
        piece.referrer,
        piece.is_sent_on,
    )


def _in_columns(sent: Sequence[Interval]) -> tuple[int, int, Int8Multirange | None]:
    """One interval, or none, as two numbers, which copy faster than a multirange."""
    if len(sent) == 1:
        return (*sent[0], None)
    if not sent:
        return (0, 0, None)
    return (0, 0, Int8Multirange([Int8Range(start, end) for start, end in sent]))
