"""How single episodes do: all their downloads, and those of the first days after publication."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncHour

from apps.downloads.models import Dimension, HourTotal, MonthTotal
from apps.downloads.totals import PLATFORM, Scope

MILESTONE_DAYS = (1, 3, 7, 30, 90)


@dataclass(frozen=True, slots=True)
class EpisodeFigures:
    """``milestones`` are (days, downloads in as many days); None until those have passed.

    The first of these days begins with the hour of publication.
    """

    all_time: int
    milestones: tuple[tuple[int, int | None], ...]


def all_time(scope: Scope = PLATFORM) -> int:
    """Every download of a show, an episode, an organisation, or of the whole platform."""
    rows = MonthTotal.objects.filter(scope.total, dimension=Dimension.ALL)
    return int(rows.aggregate(sum=Sum("downloads", default=0))["sum"])


def all_time_of_episodes(*, show: UUID, episodes: Collection[UUID]) -> dict[UUID, int]:
    """Every download of each of these episodes that has any."""
    rows = (
        MonthTotal.objects.filter(
            show_id=show, episode_id__in=episodes, dimension=Dimension.ALL, downloads__gt=0
        )
        .values_list("episode_id")
        .annotate(sum=Sum("downloads"))
        .order_by()
    )
    return {episode: int(count) for episode, count in rows}


def figures_of_episodes(
    published: Sequence[tuple[UUID, datetime]], *, show: UUID, now: datetime
) -> dict[UUID, EpisodeFigures]:
    """The figures of these (episode, its publication) of a show, each in order: two queries."""
    episodes = [episode for episode, _ in published]
    totals = all_time_of_episodes(show=show, episodes=episodes)
    since = TruncHour("episode__published_at", tzinfo=UTC)
    within = {
        f"within_{days}": Sum(
            "downloads", filter=Q(hour__lt=F("since") + timedelta(days=days)), default=0
        )
        for days in MILESTONE_DAYS
    }
    rows = (
        HourTotal.objects.filter(show_id=show, episode_id__in=episodes)
        .annotate(since=since)
        .filter(hour__lt=F("since") + timedelta(days=MILESTONE_DAYS[-1]))
        .values_list("episode_id")
        .annotate(**within)
        .order_by()
    )
    found = {episode: [int(count) for count in counts] for episode, *counts in rows}
    none = [0] * len(MILESTONE_DAYS)
    return {
        episode: _figures(totals.get(episode, 0), found.get(episode, none), age=now - published_at)
        for episode, published_at in published
    }


def _figures(total: int, within: Sequence[int], *, age: timedelta) -> EpisodeFigures:
    return EpisodeFigures(
        all_time=total,
        milestones=tuple(
            (days, count if age >= timedelta(days=days) else None)
            for days, count in zip(MILESTONE_DAYS, within, strict=True)
        ),
    )
