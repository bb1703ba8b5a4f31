"""How a batch becomes rows: one upsert, one settling of what reached its threshold."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.clock import now as current_time
from apps.downloads.batch import CoverageKey, DropKey, Owner, Piece
from apps.downloads.intervals import to_multirange
from apps.downloads.models import StreamPosition
from apps.downloads.summary import NewDownload
from podcasts.models import Episode

# A client that asks for single bytes all day could make one row grow without end, and every
# batch would rewrite it. Thousands of separate ranges fit in this; no player makes as many.
MAX_SERVED_STORED_BYTES = 64 * 1024

BEGINNING = "0-0"


class PositionMovedError(Exception):
    """Another counter has committed messages of this stream in the meantime."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A row whose bytes suffice and that is neither counted nor quarantined."""

    id: int
    key: CoverageKey
    organization: UUID
    show: UUID
    address_key: bytes
    first_at: datetime
    app: str
    device: str
    country: str

    @property
    def listening(self) -> tuple[UUID, date, bytes]:
        """What may be counted once, whatever the file version."""
        return self.key[:3]


def owners_of(episodes: Collection[UUID]) -> dict[UUID, Owner]:
    """The episodes among these that exist."""
    rows = Episode.objects.filter(id__in=episodes).values_list("id", "organization_id", "show_id")
    return {episode: Owner(*owner) for episode, *owner in rows}


_UNITE = """
INSERT INTO downloads_coverage AS coverage (
    episode_id, day, listener_key, rendition_id, organization_id, show_id, address_key,
    served, threshold_bytes, first_at, app, category, device, platform, country
)
SELECT episode_id, day, listener_key, rendition_id, organization_id, show_id, address_key,
    served::int8multirange, threshold_bytes, first_at, app, category, device, platform, country
FROM unnest(
    %s::uuid[], %s::date[], %s::bytea[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bytea[],
    %s::text[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::text[]
) AS incoming (
    episode_id, day, listener_key, rendition_id, organization_id, show_id, address_key,
    served, threshold_bytes, first_at, app, category, device, platform, country
)
ORDER BY episode_id, day, listener_key, rendition_id
ON CONFLICT (episode_id, day, listener_key, rendition_id) DO UPDATE SET
    served = CASE
        WHEN pg_column_size(coverage.served) > %s THEN coverage.served
        ELSE coverage.served + excluded.served
    END,
    first_at = least(coverage.first_at, excluded.first_at)
RETURNING id, episode_id, day, listener_key, rendition_id, organization_id, show_id, address_key,
    first_at, app, device, country,
    counted_at IS NULL AND quarantined_at IS NULL AND served_bytes >= threshold_bytes
"""


def unite(pieces: Mapping[CoverageKey, Piece]) -> list[Reached]:
    """Add the pieces to their rows; what has reached its threshold and isn't settled yet."""
    if not pieces:
        return []
    rows = [
        (
            *key,
            piece.organization,
            piece.show,
            piece.address_key,
            to_multirange(piece.sent),
            piece.threshold_bytes,
            piece.first_at,
            piece.agent.name,
            piece.agent.kind.value,
            piece.agent.device,
            piece.agent.platform,
            piece.country,
        )
        for key, piece in pieces.items()
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_UNITE, [*columns, MAX_SERVED_STORED_BYTES])
        return [_reached(row) for row in cursor.fetchall() if row[12]]


def _reached(row: tuple[Any, ...]) -> Reached:
    identifier, episode, day, listener, rendition, organization, show, address = row[:8]
    first_at, app, device, country = row[8:12]
    return Reached(
        id=identifier,
        key=CoverageKey(episode, day, bytes(listener), rendition),
        organization=organization,
        show=show,
        address_key=bytes(address),
        first_at=first_at,
        app=app,
        device=device,
        country=country,
    )


_UNSETTLED = """
SELECT candidate.id FROM downloads_coverage AS candidate
WHERE candidate.id = ANY(%s) AND NOT EXISTS (
    SELECT FROM downloads_coverage AS other
    WHERE other.episode_id = candidate.episode_id AND other.day = candidate.day
        AND other.listener_key = candidate.listener_key
        AND (other.counted_at IS NOT NULL OR other.quarantined_at IS NOT NULL)
)
"""
_COUNTED_OF_ADDRESS = """
SELECT day, address_key, count(*) FROM downloads_coverage
WHERE counted_at IS NOT NULL
    AND (day, address_key) IN (SELECT * FROM unnest(%s::date[], %s::bytea[]))
GROUP BY day, address_key
"""
_COUNT = "UPDATE downloads_coverage SET counted_at = %s WHERE id = ANY(%s)"
_QUARANTINE = "UPDATE downloads_coverage SET quarantined_at = %s WHERE id = ANY(%s)"


def settle(reached: Iterable[Reached], *, at: datetime, ceiling: int) -> list[NewDownload]:
    """Count what reached its threshold: once per listener, episode and day.

    Beyond ``ceiling`` downloads of one address on one day (0: no ceiling) the rest is
    quarantined: kept, shown apart, and counted when somebody releases it (IAB v2.3).
    """
    candidates = _first_of_each_listener(reached)
    if not candidates:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_UNSETTLED, [[row.id for row in candidates]])
        unsettled = {row[0] for row in cursor.fetchall()}
        candidates = [row for row in candidates if row.id in unsettled]
        counted, quarantined = _within_ceiling(candidates, ceiling)
        cursor.execute(_COUNT, [at, [row.id for row in counted]])
        if quarantined:
            cursor.execute(_QUARANTINE, [at, [row.id for row in quarantined]])
    return [
        NewDownload(
            organization=row.organization,
            show=row.show,
            episode=row.key.episode,
            app=row.app,
            device=row.device,
            country=row.country,
            at=at,
        )
        for row in counted
    ]


def _first_of_each_listener(reached: Iterable[Reached]) -> list[Reached]:
    """One row per listener, episode and day, in an order that the reports' order can't change."""
    first: dict[tuple[UUID, date, bytes], Reached] = {}
    for row in sorted(reached, key=lambda row: (row.first_at, row.key)):
        first.setdefault(row.listening, row)
    return list(first.values())


def _within_ceiling(
    candidates: Iterable[Reached], ceiling: int
) -> tuple[list[Reached], list[Reached]]:
    candidates = list(candidates)
    if not ceiling or not candidates:
        return candidates, []
    addresses = {(row.key.day, row.address_key) for row in candidates}
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNTED_OF_ADDRESS,
            [[day for day, _ in addresses], [address for _, address in addresses]],
        )
        counts = Counter({(day, bytes(address)): count for day, address, count in cursor})
    counted: list[Reached] = []
    quarantined: list[Reached] = []
    for row in candidates:
        address = (row.key.day, row.address_key)
        counts[address] += 1
        (counted if counts[address] <= ceiling else quarantined).append(row)
    return counted, quarantined


_TALLY = """
INSERT INTO downloads_droptally AS tally (
    day, organization_id, show_id, episode_id, reason, count
)
SELECT * FROM unnest(
    %s::date[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::bigint[]
)
ON CONFLICT (show_id, day, episode_id, reason) DO UPDATE SET count = tally.count + excluded.count
"""


def tally(drops: Counter[DropKey]) -> None:
    """Add what was dropped; exact because the stream's position moves in the same transaction."""
    if not drops:
        return
    ordered = sorted(drops.items(), key=lambda item: tuple(map(str, item[0])))
    rows = [(*key[:-1], key.reason.value, count) for key, count in ordered]
    with connection.cursor() as cursor:
        cursor.execute(_TALLY, [list(column) for column in zip(*rows, strict=True)])


def position_of(stream: str) -> str:
    """Up to which message the stream is counted."""
    row, _ = StreamPosition.objects.get_or_create(stream=stream, defaults={"position": BEGINNING})
    return row.position


def advance(stream: str, *, expected: str, to: str) -> None:
    """Move the position; PositionMovedError when it isn't where the batch began."""
    moved = StreamPosition.objects.filter(stream=stream, position=expected).update(
        position=to, updated_at=current_time()
    )
    if not moved:
        raise PositionMovedError(f"{stream} is no longer at {expected}")
