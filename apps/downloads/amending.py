"""Downloads that turn out otherwise: begun earlier, or certain where only a request was known."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.db import connection

from apps.downloads.coverage import Reached
from apps.downloads.staging import Staging, staged_day, staged_time

_AMENDMENTS = Staging(
    "staged_amendments",
    {
        "id": "int8",
        "first_at": "timestamptz",
        "local_day": "date",
        "has_bytes": "bool",
        "old_first_at": "timestamptz",
        "old_local_day": "date",
        "old_provisional": "bool",
    },
)
_OLD = """
SELECT id, first_at, local_day, is_provisional FROM downloads_download
WHERE id = ANY(%s) ORDER BY id FOR UPDATE
"""
_AMEND = """
UPDATE downloads_download AS download SET
    first_at = change.first_at,
    local_day = change.local_day,
    is_provisional = download.is_provisional AND NOT change.has_bytes
FROM staged_amendments AS change WHERE download.id = change.id
"""
_KEYS = """
unnest(%s::date[], %s::uuid[], %s::bytea[], %s::uuid[], %s::bigint[]) AS key (
    day, episode_id, listener_key, rendition_id, download_id
)
"""
# Where bytes of one version of the file confirm what a request for another made a download.
_LET_GO = """
UPDATE downloads_coverage AS coverage SET
    download_id = NULL, attributed_at = NULL, is_provisional = false
FROM {keys}
WHERE coverage.day = key.day AND coverage.episode_id = key.episode_id
    AND coverage.listener_key = key.listener_key AND coverage.download_id = key.download_id
    AND coverage.rendition_id <> key.rendition_id
"""
_TAKE_OVER = """
UPDATE downloads_coverage AS coverage SET
    download_id = key.download_id, attributed_at = coverage.first_at
FROM {keys}
WHERE coverage.day = key.day AND coverage.episode_id = key.episode_id
    AND coverage.listener_key = key.listener_key AND coverage.rendition_id = key.rendition_id
"""
_ATTRIBUTE = """
UPDATE downloads_coverage AS coverage SET
    attributed_at = change.first_at,
    is_provisional = coverage.is_provisional AND NOT change.has_bytes
FROM {keys}, staged_amendments AS change
WHERE coverage.day = key.day AND coverage.episode_id = key.episode_id
    AND coverage.listener_key = key.listener_key AND coverage.download_id = key.download_id
    AND change.id = key.download_id
"""
_TAKEN_BACK = """
SELECT organization_id, show_id, episode_id, old_local_day, old_first_at, app, device, country,
    referrer, -1, -old_provisional::int
FROM downloads_download JOIN staged_amendments USING (id) WHERE held_address IS NULL
"""
_ADDED = """
SELECT organization_id, show_id, episode_id, download.local_day, download.first_at, app, device,
    country, referrer, 1 AS downloads, is_provisional::int AS provisional
FROM downloads_download AS download JOIN staged_amendments USING (id) WHERE held_address IS NULL
"""


def amend(rows: Collection[Reached], certain: Collection[Reached]) -> str:
    """Amend the downloads of these rows; what that changes in totals, as ``rollups`` takes it.

    Those of ``certain`` were known from requests for other versions of the file: they belong from
    now on to these rows, whose bytes reached the threshold, unless their own rows' did as well.
    """
    sent = {row.download for row in rows if row.has_bytes}
    taking_over = [row for row in certain if row.download not in sent]
    everything = [*rows, *certain]
    with connection.cursor() as cursor:
        cursor.execute(_OLD, [[row.download for row in everything]])
        old = {number: state for number, *state in cursor.fetchall()}
    _AMENDMENTS.fill(_amended(everything, old))
    with connection.cursor() as cursor:
        cursor.execute(_AMEND)
        if taking_over:
            for statement in (_LET_GO, _TAKE_OVER):
                cursor.execute(statement.format(keys=_KEYS), _columns(taking_over))
        cursor.execute(_ATTRIBUTE.format(keys=_KEYS), _columns(everything))
    return f"{_ADDED} UNION ALL {_TAKEN_BACK}"


def _columns(rows: Iterable[Reached]) -> list[list[Any]]:
    keys = [
        (row.key.day, row.key.episode, row.key.listener_key, row.key.rendition, row.download)
        for row in rows
    ]
    return [list(column) for column in zip(*keys, strict=True)]


def _amended(rows: Iterable[Reached], old: Mapping[int, Any]) -> Iterator[tuple[Any, ...]]:
    """One row for each download, whatever number of file versions amend it."""
    first: dict[int, tuple[datetime, date, bool]] = {}
    for row in rows:
        if row.download is None or row.download not in old:
            continue
        zone = row.piece.owner.time_zone
        moment, day, _ = old[row.download]
        moment, day, has_bytes = first.get(row.download, (moment, day, False))
        if row.first_at < moment:
            moment, day = row.first_at, row.first_at.astimezone(zone).date()
        first[row.download] = (moment, day, has_bytes or row.has_bytes)
    for number, (moment, day, has_bytes) in first.items():
        old_moment, old_day, old_provisional = old[number]
        yield (
            number,
            *(staged_time(moment), staged_day(day), has_bytes),
            *(staged_time(old_moment), staged_day(old_day), old_provisional),
        )
