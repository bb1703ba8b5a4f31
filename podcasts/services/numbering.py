"""Seasons and episode numbers: which there are, which come next, how a season is put in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Max, Q

from apps.core.clock import now
from podcasts.models import Episode, EpisodeType, Show, ShowType
from podcasts.services.changes import announce, tell_lists
from podcasts.services.telling import tell_renumbered

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Season:
    """The living episodes of a show that have this season number."""

    season_number: int | None  # None: those of no season
    episode_count: int
    next_episode_number: int


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Why an order can't be taken: at which position (from 0), or for what is not in it at all."""

    position: int | None
    code: str
    message: str


class OrderRefusedError(Exception):
    """An order that doesn't fit the season; the argument is everything that is wrong with it."""

    def __init__(self, misplaced: Sequence[Misplaced]) -> None:
        super().__init__(f"{len(misplaced)} episodes are out of place")
        self.misplaced = misplaced


def next_number(show: Show) -> int:
    """The episode number that follows the highest one of the show's last season."""
    numbered = Episode.objects.for_show(show).filter(deleted_at=None, episode_number__gt=0)
    season = numbered.aggregate(last=Max("season_number"))["last"]
    in_season = numbered.filter(season_number=season)
    return (in_season.aggregate(last=Max("episode_number"))["last"] or 0) + 1


def last_season(show: Show) -> int | None:
    """The show's latest season, if it counts them."""
    season: int | None = (
        Episode.objects.for_show(show)
        .filter(deleted_at=None)
        .aggregate(last=Max("season_number"))["last"]
    )
    return season


def suggested_numbers(show: Show) -> tuple[int | None, int | None]:
    """Season and episode number for the next episode; None where the show doesn't count."""
    season = last_season(show)
    counts = show.type == ShowType.SERIAL or season is not None
    return season, next_number(show) if counts else None


def seasons_of(show: Show) -> list[Season]:
    """The seasons of a show that the caller was let into, what has no season first."""
    counted = (
        Episode.objects.for_show(show)
        .filter(deleted_at=None)
        .values("season_number")
        .annotate(count=Count("pk"), last=Max("episode_number"))
        .order_by(F("season_number").asc(nulls_first=True))
    )
    return [Season(row["season_number"], row["count"], (row["last"] or 0) + 1) for row in counted]


@transaction.atomic
def reorder_season(
    *, show: Show, season_number: int | None, episode_ids: Sequence[UUID]
) -> list[Episode]:
    """Number full episodes of a season 1, 2, 3 … in this order; returns them, numbered.

    All that have a number already must be among them, or two would share one. Trailers and
    bonuses keep what they have. Raises OrderRefusedError, and then changes nothing.
    """
    rows = _concerned(show, season_number, episode_ids)
    misplaced = list(_misplaced(rows, season_number, episode_ids))
    if misplaced:
        raise OrderRefusedError(misplaced)
    changed, moment = [], now()
    for number, episode_id in enumerate(episode_ids, start=1):
        episode = rows[episode_id]
        if episode.episode_number != number:
            episode.episode_number, episode.updated_at = number, moment
            changed.append(episode)
    if changed:
        Episode.objects.bulk_update(changed, ["episode_number", "updated_at"], batch_size=_BATCH)
        tell_renumbered(show, [episode.pk for episode in changed])
        tell_lists(changed)
        announce(show.pk)
    return [rows[episode_id] for episode_id in episode_ids]


def _concerned(
    show: Show, season_number: int | None, episode_ids: Sequence[UUID]
) -> dict[UUID, Episode]:
    """What is named and what must be, held in the order in which everybody takes episodes."""
    must_be_named = Q(
        season_number=season_number, type=EpisodeType.FULL, episode_number__isnull=False
    )
    episodes = (
        Episode.objects.for_show(show)
        .filter(Q(pk__in=episode_ids) | must_be_named, deleted_at=None)
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    return {episode.pk: episode for episode in episodes}


def _misplaced(
    rows: dict[UUID, Episode], season_number: int | None, episode_ids: Sequence[UUID]
) -> Iterator[Misplaced]:
    seen: set[UUID] = set()
    for position, episode_id in enumerate(episode_ids):
        episode = rows.get(episode_id)
        if episode is None:
            yield Misplaced(position, "not_found", "There is no such episode in this show.")
        elif episode_id in seen:
            yield Misplaced(position, "duplicate", f"“{episode}” is named twice.")
        elif episode.season_number != season_number:
            yield Misplaced(position, "other_season", f"“{episode}” is of another season.")
        elif episode.type != EpisodeType.FULL:
            said = f"“{episode}” is no full episode: only those are put in order."
            yield Misplaced(position, "not_full", said)
        seen.add(episode_id)
    for episode in rows.values():
        if episode.pk not in seen:
            said = f"“{episode}” has number {episode.episode_number} and is missing ({episode.pk})."
            yield Misplaced(None, "missing", said)
