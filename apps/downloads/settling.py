"""What reached its threshold becomes a download: once per listener, episode and UTC day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, OperationalError, connection
from django.db.backends.utils import CursorWrapper
from psycopg.errors import UniqueViolation

from apps.downloads import listeners, months, rollups
from apps.downloads.amending import amend
from apps.downloads.batch import Piece
from apps.downloads.countries import country_of
from apps.downloads.coverage import Reached
from apps.downloads.keys import Keyed
from apps.downloads.staging import Staging, staged_day, staged_time
from apps.downloads.summary import NewDownload

_STAGED = Staging(
    "staged_downloads",
    {
        "id": "int8",
        "organization_id": "uuid",
        "show_id": "uuid",
        "episode_id": "uuid",
        "day": "date",
        "listener_key": "bytea",
        "rendition_id": "uuid",
        "address_key": "bytea",
        "local_day": "date",
        "first_at": "timestamptz",
        "app": "text",
        "category": "text",
        "device": "text",
        "platform": "text",
        "country": "text",
        "referrer": "text",
        "is_provisional": "bool",
    },
    marks=("is_held", "is_first_of_listener"),
)
_IDS = "SELECT nextval('downloads_download_id_seq') FROM generate_series(1, %s)"
# Another version of the file was counted for this listener: a replaced file counts once a day.
_LEAVE_OUT_COUNTED = """
DELETE FROM staged_downloads AS new USING downloads_coverage AS coverage
WHERE coverage.download_id IS NOT NULL AND coverage.day = new.day
    AND coverage.listener_key = new.listener_key AND coverage.episode_id = new.episode_id
RETURNING new.id, coverage.download_id, coverage.attributed_at, coverage.is_provisional
"""
_HOLD = """
WITH counted AS (
    SELECT coverage.day, coverage.address_key, count(*) AS downloads
    FROM downloads_coverage AS coverage
    JOIN (SELECT DISTINCT day, address_key FROM staged_downloads) AS new
        ON coverage.day = new.day AND coverage.address_key = new.address_key
    WHERE coverage.download_id IS NOT NULL
    GROUP BY coverage.day, coverage.address_key
), placed AS (
    SELECT id, coalesce(downloads, 0)
        + row_number() OVER (PARTITION BY day, address_key ORDER BY id) AS place
    FROM staged_downloads LEFT JOIN counted USING (day, address_key)
)
UPDATE staged_downloads AS new SET is_held = true
FROM placed WHERE new.id = placed.id AND placed.place > %s
RETURNING new.id
"""
_INSERT = """
INSERT INTO downloads_download (
    id, organization_id, show_id, episode_id, day, local_day, first_at, counted_at, app, category,
    device, platform, country, referrer, is_first_of_listener, is_provisional, held_address
)
SELECT id, organization_id, show_id, episode_id, day, local_day, first_at,
    coalesce(%s, first_at), app, category,
    device, platform, country, referrer, is_first_of_listener, is_provisional,
    CASE WHEN is_held THEN address_key END
FROM staged_downloads ORDER BY id
"""
_ATTRIBUTE = """
UPDATE downloads_coverage AS coverage SET
    download_id = new.id, attributed_at = new.first_at, is_provisional = new.is_provisional,
    address_key = new.address_key
FROM staged_downloads AS new
WHERE coverage.day = new.day AND coverage.episode_id = new.episode_id
    AND coverage.listener_key = new.listener_key AND coverage.rendition_id = new.rendition_id
"""
_CHANGES = """
SELECT organization_id, show_id, episode_id, local_day, first_at, app, device, country, referrer,
    1 AS downloads, is_provisional::int AS provisional
FROM staged_downloads WHERE NOT is_held
"""


@dataclass(slots=True)
class Candidate:
    """A row that may become a download, with what its piece knows."""

    reached: Reached
    country: str

    @property
    def piece(self) -> Piece:
        """What this batch knows of it."""
        return self.reached.piece

    @property
    def month(self) -> date:
        """The first day of the UTC month."""
        return self.reached.key.day.replace(day=1)


def settle(reached: Sequence[Reached], *, at: datetime | None, ceiling: int) -> list[NewDownload]:
    """Make and amend downloads, with all totals; what is new and counts.

    It counts from ``at`` on, or else from when it began.
    Beyond ``ceiling`` downloads of one address on one day (0: no ceiling) the rest is held: kept,
    shown apart, and counted when somebody releases it (IAB v2.3).
    """
    to_amend = [row for row in reached if row.download is not None]
    new = _stage(_first_of_each_listener(row for row in reached if row.download is None))
    earlier, certain = _leave_out_counted(new)
    held, new_listeners = _mark(ceiling) if new else (set(), set())
    changes = []
    if new:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [at])
            _attribute(cursor)
        changes.append(_CHANGES)
    if to_amend or earlier or certain:
        changes.append(amend([*to_amend, *earlier], certain))
    # Once for all changes: two rounds could make two counters wait for each other.
    if changes:
        rollups.add(" UNION ALL ".join(changes))
    _add_listeners(new[number] for number in sorted(new_listeners - held))
    return [_announced(new[number], at) for number in new if number not in held]


def _first_of_each_listener(candidates: Iterable[Reached]) -> list[Reached]:
    """One row per listener, episode and day, which began with the first of the file's versions.

    In an order that the reports' order can't change.
    """
    first: dict[tuple[int, int, bytes], Reached] = {}
    for row in candidates:
        listening = row.piece.lookup[:3]
        before = first.get(listening)
        if before is not None:
            begun_at = min(before.first_at, row.first_at)
            row = min(before, row, key=lambda one: one.precedence)._replace(first_at=begun_at)
        first[listening] = row
    return sorted(first.values(), key=lambda row: row.precedence)


def _stage(rows: Sequence[Reached]) -> dict[int, Candidate]:
    """Put the rows where statements find them; they are told apart by their ids to be."""
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_IDS, [len(rows)])
        ids = [row[0] for row in cursor.fetchall()]
    new = {
        number: Candidate(row, row.piece.told_country or country_of(row.piece.ip))
        for number, row in zip(ids, rows, strict=True)
    }
    _STAGED.fill(map(_staged, new.keys(), new.values()))
    return new


def _staged(number: int, candidate: Candidate) -> tuple[Any, ...]:
    row, piece = candidate.reached, candidate.piece
    key, agent = piece.key, piece.agent
    organization, show, time_zone = piece.owner
    return (
        number,
        organization.bytes,
        show.bytes,
        key.episode.bytes,
        staged_day(key.day),
        key.listener_key,
        key.rendition.bytes,
        piece.keyed.address(organization, piece.address),
        staged_day(row.first_at.astimezone(time_zone)),
        staged_time(row.first_at),
        agent.name,
        agent.kind.value,
        agent.device,
        agent.platform,
        candidate.country,
        row.referrer,
        not row.has_bytes,
    )


def _leave_out_counted(new: dict[int, Candidate]) -> tuple[list[Reached], list[Reached]]:
    """Forget what another version of the file made a download; what amends that one.

    First the rows that only began earlier, then those whose bytes make it certain.
    """
    earlier: list[Reached] = []
    certain: list[Reached] = []
    if not new:
        return earlier, certain
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE_OUT_COUNTED)
        for number, download, attributed_at, is_provisional in cursor.fetchall():
            row = new.pop(number).reached._replace(download=download)
            if is_provisional and row.has_bytes:
                certain.append(row)
            elif row.first_at < attributed_at:
                earlier.append(row)
    return earlier, certain


def _attribute(cursor: CursorWrapper) -> None:
    """Say of which rows the new downloads are.

    Raises OperationalError, which calls for another try, where another counter has just made a
    download of another version of the file: it can be seen only now.
    """
    try:
        cursor.execute(_ATTRIBUTE)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise OperationalError("another counter was first with the same listener") from error
        raise


def _mark(ceiling: int) -> tuple[set[int], set[int]]:
    """The ids of what is held, and of each new listener's first download of a show on a day."""
    held: set[int] = set()
    with connection.cursor() as cursor:
        if ceiling:
            cursor.execute(_HOLD, [ceiling])
            held = {row[0] for row in cursor.fetchall()}
    return held, listeners.arrive()


def _add_listeners(new: Iterable[Candidate]) -> None:
    new = list(new)
    if not new:
        return
    listeners.add_to_days(
        (each.piece.owner.organization, each.piece.owner.show, each.reached.key.day) for each in new
    )
    keys = months.keys_of({each.month for each in new})
    keyed = {month: Keyed(key) for month, key in keys.items()}
    arrived: defaultdict[months.Month, list[bytes]] = defaultdict(list)
    for each in new:
        organization, show, _ = each.piece.owner
        arrived[organization, show, each.month].append(
            keyed[each.month].listener(organization, each.piece.address, each.piece.agent_text)
        )
    months.add(arrived)


def _announced(candidate: Candidate, at: datetime | None) -> NewDownload:
    piece = candidate.piece
    return NewDownload(
        organization=piece.owner.organization,
        show=piece.owner.show,
        episode=candidate.reached.key.episode,
        app=piece.agent.name,
        device=piece.agent.device,
        country=candidate.country,
        at=at or candidate.reached.first_at,
    )
