"""How single episodes do: all their downloads, and those of the first days after publication."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from apps.downloads.first_days import MILESTONE_DAYS, Published, downloads_within
from apps.downloads.models import Dimension, MonthTotal
from apps.downloads.totals import PLATFORM, Scope


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
    published: Published, *, show: UUID, now: datetime
) -> dict[UUID, EpisodeFigures]:
    """The figures of these (episode, its publication) of a show, each in order: two queries."""
    totals = all_time_of_episodes(show=show, episodes=[episode for episode, _ in published])
    found = downloads_within(published, show=show, days=MILESTONE_DAYS, now=now)
    return {
        episode: EpisodeFigures(
            all_time=totals.get(episode, 0),
            milestones=tuple((days, found[episode].get(days)) for days in MILESTONE_DAYS),
        )
        for episode, _ in published
    }
