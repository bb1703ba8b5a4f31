"""What reached its threshold becomes a download: once per listener, episode and UTC day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.downloads import listeners, rollups
from apps.downloads.amending import amend
from apps.downloads.batch import CoverageKey, Piece
from apps.downloads.coverage import Reached
from apps.downloads.keys import listener_key
from apps.downloads.staging import Staging
from apps.downloads.summary import NewDownload

_NEW = Staging(
    "staged_downloads",
    {
        "id": "int8",
        "organization_id": "uuid",
        "show_id": "uuid",
        "episode_id": "uuid",
        "day": "date",
        "local_day": "date",
        "first_at": "timestamptz",
        "app": "text",
        "category": "text",
        "device": "text",
        "platform": "text",
        "country": "text",
        "referrer": "text",
        "is_first_of_listener": "bool",
        "is_provisional": "bool",
        "held_address": "bytea",
        "listener_key": "bytea",
        "rendition_id": "uuid",
    },
)
_IDS = "SELECT nextval('downloads_download_id_seq') FROM generate_series(1, %s)"
_INSERT = """
INSERT INTO downloads_download (
    id, organization_id, show_id, episode_id, day, local_day, first_at, counted_at, app, category,
    device, platform, country, referrer, is_first_of_listener, is_provisional, held_address
)
SELECT id, organization_id, show_id, episode_id, day, local_day, first_at, %s, app, category,
    device, platform, country, referrer, is_first_of_listener, is_provisional, held_address
FROM staged_downloads ORDER BY id
"""
_ATTRIBUTE = """
UPDATE downloads_coverage AS coverage SET
    download_id = new.id, attributed_at = new.first_at, is_provisional = new.is_provisional
FROM staged_downloads AS new
WHERE coverage.day = new.day AND coverage.episode_id = new.episode_id
    AND coverage.listener_key = new.listener_key AND coverage.rendition_id = new.rendition_id
"""
_CHANGES_OF_NEW = """
SELECT organization_id, show_id, episode_id, local_day, first_at, app, device, country, referrer,
    1 AS downloads, is_provisional::int AS provisional
FROM staged_downloads WHERE held_address IS NULL
"""


@dataclass(slots=True)
class Candidate:
    """A row that may become a download, with what its piece knows."""

    reached: Reached
    piece: Piece
    is_held: bool = False
    is_first_of_listener: bool = False


def settle(
    reached: Iterable[Reached],
    pieces: Mapping[CoverageKey, Piece],
    *,
    at: datetime,
    ceiling: int,
) -> list[NewDownload]:
    """Make and amend downloads, with all totals; what is new and counts.

    Beyond ``ceiling`` downloads of one address on one day (0: no ceiling) the rest is held: kept,
    shown apart, and counted when somebody releases it (IAB v2.3).
    """
    made, to_amend = _sort_out(reached)
    new = [Candidate(row, pieces[row.key]) for row in made]
    changes = []
    if new:
        _hold_beyond_ceiling(new, ceiling)
        _find_new_listeners(new)
        _NEW.fill(_staged(new, _new_ids(len(new))))
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [at])
            cursor.execute(_ATTRIBUTE)
        changes.append(_CHANGES_OF_NEW)
    if to_amend:
        changes.append(amend(to_amend, pieces))
    # Once for all changes: two rounds could make two counters wait for each other.
    if changes:
        rollups.add(" UNION ALL ".join(changes))
    counted = [candidate for candidate in new if not candidate.is_held]
    _add_listeners(counted)
    return [_announced(candidate, at) for candidate in counted]


def _sort_out(reached: Iterable[Reached]) -> tuple[list[Reached], list[Reached]]:
    """What makes a download, and what amends one."""
    rows = list(reached)
    to_amend = [row for row in rows if row.download is not None]
    candidates = _first_of_each_listener(row for row in rows if row.download is None)
    counted = _counted_before(candidates)
    made = [row for row in candidates if row.listening not in counted]
    # Another version of the file made the download; these bytes may make it certain.
    to_amend += (
        row._replace(download=counted[row.listening])
        for row in candidates
        if row.has_bytes and counted.get(row.listening) is not None
    )
    return made, to_amend


def _first_of_each_listener(candidates: Iterable[Reached]) -> list[Reached]:
    """One row per listener, episode and day, in an order that the reports' order can't change."""
    first: dict[tuple[UUID, date, bytes], Reached] = {}
    for row in sorted(candidates, key=lambda row: (not row.has_bytes, row.first_at, row.key)):
        first.setdefault(row.listening, row)
    return list(first.values())


_COUNTED = """
SELECT episode_id, day, listener_key, CASE WHEN is_provisional THEN download_id END
FROM downloads_coverage
WHERE download_id IS NOT NULL AND (day, listener_key, episode_id) IN (
    SELECT * FROM unnest(%s::date[], %s::bytea[], %s::uuid[])
)
"""


def _counted_before(rows: Collection[Reached]) -> dict[tuple[UUID, date, bytes], int | None]:
    """Those that another version of the file has made a download; its id while provisional."""
    if not rows:
        return {}
    keys = [row.key for row in rows]
    columns = (
        [key.day for key in keys],
        [key.listener_key for key in keys],
        [key.episode for key in keys],
    )
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, columns)
        return {
            (episode, day, bytes(listener)): download
            for episode, day, listener, download in cursor.fetchall()
        }


_COUNTED_OF_ADDRESS = """
SELECT day, address_key, count(*) FROM downloads_coverage
WHERE download_id IS NOT NULL
    AND (day, address_key) IN (SELECT * FROM unnest(%s::date[], %s::bytea[]))
GROUP BY day, address_key
"""


def _hold_beyond_ceiling(candidates: Iterable[Candidate], ceiling: int) -> None:
    if not ceiling:
        return
    addresses = {(each.reached.key.day, each.piece.address_key) for each in candidates}
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTED_OF_ADDRESS,
            [[day for day, _ in addresses], [address for _, address in addresses]],
        )
        counts = Counter({(day, bytes(address)): count for day, address, count in cursor})
    for each in candidates:
        address = (each.reached.key.day, each.piece.address_key)
        counts[address] += 1
        each.is_held = counts[address] > ceiling


def _find_new_listeners(candidates: Iterable[Candidate]) -> None:
    """Each listener's first download of a show on a day is marked, held or not."""
    first: dict[listeners.Listening, Candidate] = {}
    for each in sorted(candidates, key=lambda each: each.is_held):
        key = each.reached.key
        first.setdefault((key.day, each.piece.show, key.listener_key), each)
    for listening in listeners.arrive(first.keys()):
        first[listening].is_first_of_listener = True


def _new_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_IDS, [count])
        return [row[0] for row in cursor.fetchall()]


def _staged(candidates: Iterable[Candidate], ids: Iterable[int]) -> Iterator[tuple[Any, ...]]:
    for number, each in zip(ids, candidates, strict=True):
        key, piece = each.reached.key, each.piece
        yield (
            number,
            piece.organization,
            piece.show,
            key.episode,
            key.day,
            each.reached.first_at.astimezone(piece.time_zone).date(),
            each.reached.first_at,
            piece.agent.name,
            piece.agent.kind.value,
            piece.agent.device,
            piece.agent.platform,
            piece.country,
            each.reached.referrer,
            each.is_first_of_listener,
            not each.reached.has_bytes,
            piece.address_key if each.is_held else None,
            key.listener_key,
            key.rendition,
        )


def _add_listeners(counted: Iterable[Candidate]) -> None:
    new = [each for each in counted if each.is_first_of_listener]
    listeners.add_to_days(
        (each.piece.organization, each.piece.show, each.reached.key.day) for each in new
    )
    months: defaultdict[listeners.Month, list[bytes]] = defaultdict(list)
    keys = listeners.month_keys({each.reached.key.day.replace(day=1) for each in new})
    for each in new:
        piece, month = each.piece, each.reached.key.day.replace(day=1)
        months[piece.organization, piece.show, month].append(
            listener_key(
                keys[month],
                organization=piece.organization,
                address=piece.address,
                agent=piece.agent_text,
            )
        )
    listeners.add_to_months(months)


def _announced(candidate: Candidate, at: datetime) -> NewDownload:
    piece = candidate.piece
    return NewDownload(
        organization=piece.organization,
        show=piece.show,
        episode=candidate.reached.key.episode,
        app=piece.agent.name,
        device=piece.agent.device,
        country=piece.country,
        at=at,
    )
