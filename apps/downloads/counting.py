"""Counting a batch of hits: one transaction, whoever brings the hits."""

from collections.abc import Callable, Collection, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from apps.core.clock import now
from apps.downloads import archive, shadow
from apps.downloads.agents import classify
from apps.downloads.batch import Batch, Message, Owner, Surroundings, days_of, gather
from apps.downloads.coverage import unite
from apps.downloads.models import LoggedDay
from apps.downloads.networks import data_centres
from apps.downloads.open_days import keys_for
from apps.downloads.settling import settle
from apps.downloads.summary import NewDownload
from apps.downloads.tallies import tally
from apps.downloads.window import epoch_ms, open_day
from podcasts.models import Episode


@dataclass(frozen=True, slots=True)
class Counted:
    """What a batch came to."""

    batch: Batch
    downloads: Sequence[NewDownload]


def count(
    messages: Sequence[Message],
    *,
    also: Callable[[], None],
    at: datetime | None = None,
    already_tallied: Container[UUID] = (),
    is_from_log: bool = False,
) -> Counted:
    """Count these messages, and do ``also`` in the same transaction: both happen, or neither.

    Raises django.db.Error, and what ``also`` raises.
    """
    at = at or now()
    with transaction.atomic():
        shadow.wait_for_recounts()
        around = surroundings(messages, at=at, already_tallied=already_tallied)
        also()
        batch = gather(messages, around)
        archive.keep(batch.to_keep, around.day_keys, is_from_log=is_from_log)
        downloads = write(batch, at=at)
        if is_from_log:
            note_logged(batch)
    return Counted(batch, downloads)


def write(batch: Batch, *, at: datetime | None) -> list[NewDownload]:
    """Store what a batch adds up to; the downloads that are new and count.

    They count from ``at`` on; without, from when each began: long ago.
    """
    with _by_key():
        reached = unite(batch.pieces.values())
        downloads = settle(reached, at=at, ceiling=settings.ADDRESS_CEILING)
    tally(batch.drops)
    return downloads


@contextmanager
def _by_key() -> Iterator[None]:
    """Look rows up by their keys, as many as the batch has, however many others there are.

    Of a table just filled the planner knows too little: to find 400 rows among tens of thousands it
    would read a day's coverage from end to end, twice in each batch.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        yield
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")


def note_logged(batch: Batch) -> None:
    """Remember of which shows and days logs were read that tell of bytes.

    What was dropped says nothing: a proxy in front logs requests of listeners whom it sent on.
    """
    seen = {(piece.key.day, piece.owner.show) for piece in batch.pieces.values()}
    LoggedDay.objects.bulk_create(
        [LoggedDay(day=day, show_id=show) for day, show in sorted(seen)], ignore_conflicts=True
    )


def surroundings(
    messages: Sequence[Message], *, at: datetime, already_tallied: Container[UUID] = ()
) -> Surroundings:
    """What the rules need to know for these messages; opens days, so to be called first."""
    hits = [message.hit for message in messages if message.hit is not None]
    day_of = partial(open_day, now_ms=epoch_ms(at))
    return Surroundings(
        now=at,
        day_of=day_of,
        day_keys=keys_for(days_of(messages, day_of)),
        owners=owners_of(
            list({hit.episode.int: hit.episode for hit in hits}.values())  # numbers hash fast
        ),
        data_centres=data_centres(),
        classify=classify,
        already_tallied=already_tallied,
    )


def owners_of(episodes: Collection[UUID]) -> dict[int, Owner]:
    """Whose the episodes among these are that exist, by the episodes' numbers."""
    rows = Episode.objects.filter(id__in=episodes).values_list(
        "id", "organization_id", "show_id", "show__time_zone"
    )
    return {
        episode.int: Owner(organization, show, ZoneInfo(time_zone))
        for episode, organization, show, time_zone in rows
    }
