"""Counting an open day again from its hits, with the rules and the list of user agents of today."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from apps.core.clock import now
from apps.downloads import archive, revision, rollups, shadow
from apps.downloads.batch import Message, Owner, Surroundings, gather
from apps.downloads.closing import tally_unfinished
from apps.downloads.counting import owners_of, surroundings, write
from apps.downloads.hit import MalformedHitError, read_hit
from apps.downloads.models import Coverage, Download, DropTally
from apps.downloads.open_days import existing_keys
from apps.downloads.rules import DropReason
from apps.downloads.shadow import WRITTEN, shadow_of
from apps.downloads.tallies import Tallied, tally_from
from podcasts.models import Show

UTC = ZoneInfo("UTC")

# Drops that belong to the day on which they arrived: their hits are not kept with a day.
_OF_ARRIVAL = [DropReason.MALFORMED.value, DropReason.OUTSIDE_WINDOW.value]


class NotKeptError(Exception):
    """The day's hits are not there any more, or nothing of it was ever counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a show's downloads and drops of a day are, and what they would be."""

    show: UUID | None
    before: int
    after: int
    drops_before: Mapping[str, int]
    drops_after: Mapping[str, int]

    @property
    def is_none(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after and self.drops_before == self.drops_after


@dataclass(frozen=True, slots=True)
class Recount:
    """A day counted again, beside what is counted: ``last`` is the last batch of hits in it."""

    day: date
    hits: int
    last: int
    differences: Sequence[Difference]


def recount(day: date) -> Recount:
    """Count the day again into tables that only this connection sees.

    Raises NotKeptError when its hits are not kept any more, archive.UnreadableError when they
    were sealed with another key.
    """
    key = _key_of(day)
    shadow.create(WRITTEN)
    hits, last = _count_batches(day, key, after=0)
    return Recount(day, hits, last, _differences(day))


@transaction.atomic
def swap(recounted: Recount) -> None:
    """Put what `recount` found in the place of what was counted, at one moment.

    What arrived in between is counted first. Downloads that are the same ones keep their ids and
    moments, and their days of the show where they begin when they did; what was released from
    review stays released. The sketches of months stay as they are: they can't forget anybody.
    Raises NotKeptError when the day was closed meanwhile, BusyError when somebody counts for long.
    """
    day = recounted.day
    shadow.stop_counting()
    _count_batches(day, _key_of(day), after=recounted.last)
    rollups.take_back_day(day)
    with connection.cursor() as cursor:
        for statement in _SWAP:
            cursor.execute(statement, {"day": day, "of_arrival": _OF_ARRIVAL})
    tally_from(shadow_of(DropTally))
    rollups.add_day(day)
    tally_unfinished(day)
    transaction.on_commit(revision.recounted, robust=True)


def forget() -> None:
    """Drop what `recount` made."""
    shadow.drop(WRITTEN)


def _key_of(day: date) -> bytes:
    key = existing_keys([day]).get(day)
    if key is None:
        raise NotKeptError(f"The hits of {day} are not kept any more, or there never were any.")
    return key


def _count_batches(day: date, key: bytes, *, after: int) -> tuple[int, int]:
    """Count the batches after that one; how many hits there were, and the last batch."""
    owners, tallied = _known_owners(day), Tallied()
    hits, last = 0, after
    for kept, raw in archive.read(day, key, after=after):
        messages = [message for line in raw if (message := _read(line)) is not None]
        with transaction.atomic():
            around = _surroundings_of(day, key, messages, owners, tallied)
            batch = gather(messages, around)
            with shadow.hiding(WRITTEN):
                write(batch, at=around.now)
        tallied.add(batch.tallied)
        hits, last = hits + len(messages), kept.id
    return hits, last


def _surroundings_of(
    day: date,
    key: bytes,
    messages: Sequence[Message],
    owners: Mapping[int, Owner],
    tallied: Container[UUID],
) -> Surroundings:
    """As for a batch of the day, of which no hit is late: each was in time when it was kept."""
    episodes = {one.hit.episode for one in messages if one.hit is not None}
    return replace(
        surroundings((), at=now(), already_tallied=tallied),
        day_of=lambda at_ms: day,
        day_keys={day: key},
        owners={**owners, **owners_of(episodes)},
    )


def _read(line: bytes) -> Message | None:
    try:
        return Message(line, read_hit(line), 0)
    except MalformedHitError:  # of an earlier version
        return None


def _known_owners(day: date) -> dict[int, Owner]:
    """To whom belonged what was counted: a recount takes nothing from emptied trash."""
    rows = list(
        Coverage.objects.filter(day=day)
        .order_by()
        .distinct()
        .values_list("episode_id", "organization_id", "show_id")
    )
    shows = Show.objects.filter(id__in={show for _, _, show in rows})
    zones = {show: ZoneInfo(name) for show, name in shows.values_list("id", "time_zone")}
    return {
        # Of a show that is gone as well, downloads that stay the same keep their days: see _SWAP.
        episode.int: Owner(organization, show, zones.get(show, UTC))
        for episode, organization, show in rows
    }


_DOWNLOADS = """
SELECT show_id, count(*) FROM {table} WHERE day = %s AND held_address IS NULL GROUP BY show_id
"""
_DROPS = """
SELECT show_id, reason, sum(count)::bigint FROM {table}
WHERE day = %s AND reason <> ALL(%s) AND reason <> 'below_threshold' GROUP BY show_id, reason
"""


def _differences(day: date) -> list[Difference]:
    """Of each show that the day has anything of, the largest change first."""
    before, after = _downloads(day, Download._meta.db_table), _downloads(day, shadow_of(Download))
    drops, drops_after = _drops(day, DropTally._meta.db_table), _drops(day, shadow_of(DropTally))
    shows = {*before, *after, *drops, *drops_after}
    found = [
        Difference(
            show,
            before.get(show, 0),
            after.get(show, 0),
            drops.get(show, {}),
            drops_after.get(show, {}),
        )
        for show in shows
    ]
    return sorted(found, key=lambda one: (-abs(one.after - one.before), str(one.show)))


def _downloads(day: date, table: str) -> dict[UUID | None, int]:
    with connection.cursor() as cursor:
        cursor.execute(_DOWNLOADS.format(table=table), [day])
        return dict(cursor.fetchall())


def _drops(day: date, table: str) -> dict[UUID | None, dict[str, int]]:
    found: defaultdict[UUID | None, dict[str, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_DROPS.format(table=table), [day, _OF_ARRIVAL])
        for show, reason, count in cursor.fetchall():
            found[show][reason] = count
    return found


_SWAP = (
    "DROP TABLE IF EXISTS pg_temp.recounted_same",
    """
    CREATE TEMPORARY TABLE recounted_same ON COMMIT DROP AS
    SELECT new.download_id AS new_id, old.download_id AS old_id, download.counted_at,
        download.first_at, download.local_day, download.held_address IS NULL AS is_released
    FROM recounted_coverage AS new
    JOIN downloads_coverage AS old ON old.day = new.day
        AND old.listener_key = new.listener_key AND old.episode_id = new.episode_id
    JOIN downloads_download AS download ON download.id = old.download_id
    WHERE new.download_id IS NOT NULL AND old.download_id IS NOT NULL AND old.day = %(day)s
    """,
    """
    UPDATE recounted_download AS new SET id = same.old_id, counted_at = same.counted_at,
        held_address = CASE WHEN NOT same.is_released THEN new.held_address END,
        local_day = CASE new.first_at WHEN same.first_at THEN same.local_day ELSE new.local_day END
    FROM recounted_same AS same WHERE new.id = same.new_id
    """,
    """
    UPDATE recounted_coverage AS new SET download_id = same.old_id
    FROM recounted_same AS same WHERE new.download_id = same.new_id
    """,
    "DELETE FROM downloads_download WHERE day = %(day)s",
    "INSERT INTO downloads_download SELECT * FROM recounted_download",
    "DELETE FROM downloads_coverage WHERE day = %(day)s",
    "INSERT INTO downloads_coverage SELECT * FROM recounted_coverage",
    "DELETE FROM downloads_daylistener WHERE day = %(day)s",
    "INSERT INTO downloads_daylistener SELECT * FROM recounted_daylistener",
    "DELETE FROM downloads_listenertotal WHERE day = %(day)s",
    """
    INSERT INTO downloads_listenertotal (organization_id, show_id, day, listeners)
    SELECT organization_id, show_id, day, count(*) FROM downloads_download
    WHERE day = %(day)s AND is_first_of_listener AND held_address IS NULL
    GROUP BY organization_id, show_id, day
    """,
    """
    DELETE FROM downloads_droptally
    WHERE day = %(day)s AND reason <> ALL(%(of_arrival)s) AND reason <> 'below_threshold'
    """,
)
