"""How single episodes do: all their downloads, and those of the first days after publication."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Q

from apps.downloads.models import Coverage

MILESTONE_DAYS = (1, 3, 7, 30)


@dataclass(frozen=True, slots=True)
class EpisodeFigures:
    """``milestones`` are (days, downloads in as many days); None until those have passed."""

    all_time: int
    milestones: tuple[tuple[int, int | None], ...]


def all_time(*, show: UUID | None = None) -> int:
    """Every download of a show, or of the whole platform."""
    scope = Q(show_id=show) if show else Q()
    return Coverage.objects.filter(scope, counted_at__isnull=False).count()


def all_time_of_episodes(*, show: UUID, episodes: Collection[UUID]) -> dict[UUID, int]:
    """Every download of each of these episodes that has any."""
    rows = (
        Coverage.objects.filter(show_id=show, episode_id__in=episodes, counted_at__isnull=False)
        .values_list("episode_id")
        .annotate(downloads=Count("id"))
        .order_by()
    )
    return dict(rows)


def figures_of_episodes(
    published: Sequence[tuple[UUID, datetime]], *, now: datetime
) -> dict[UUID, EpisodeFigures]:
    """The figures of these (episode, its publication), each in order, in one query."""
    within = {
        f"within_{days}": Count(
            "id", filter=Q(first_at__lt=F("episode__published_at") + timedelta(days=days))
        )
        for days in MILESTONE_DAYS
    }
    rows = (
        Coverage.objects.filter(
            episode_id__in=[episode for episode, _ in published], counted_at__isnull=False
        )
        .values_list("episode_id")
        .annotate(all_time=Count("id"), **within)
        .order_by()
    )
    found = {episode: counts for episode, *counts in rows}
    none = [0] * (1 + len(MILESTONE_DAYS))
    return {
        episode: _figures(found.get(episode, none), age=now - published_at)
        for episode, published_at in published
    }


def _figures(counts: Sequence[int], *, age: timedelta) -> EpisodeFigures:
    total, *within = counts
    return EpisodeFigures(
        all_time=total,
        milestones=tuple(
            (days, count if age >= timedelta(days=days) else None)
            for days, count in zip(MILESTONE_DAYS, within, strict=True)
        ),
    )
