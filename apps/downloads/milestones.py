"""Telling when the downloads of a show or an episode reach a round number, once for each.

Looked up every two minutes in the months' totals, for organisations with a webhook that wants it.
Nothing here is part of counting. What was reached before anybody wanted to know is not told.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from apps.downloads.models import Dimension, Milestone, MilestoneWatch, MonthTotal
from apps.webhooks.emitting import emit, organizations_wanting
from apps.webhooks.event_types import EventType
from podcasts import urls
from podcasts.models import Episode, Show

logger = logging.getLogger(__name__)

FIRST = 100
_STEPS = (10, 25, 50)  # of each power of ten: 100, 250, 500, 1,000, 2,500 …


@dataclass(frozen=True, slots=True)
class _Crossing:
    """A subject, its downloads, and the milestones that it has reached since the last look."""

    show_id: UUID
    episode_id: UUID | None
    downloads: int
    reached: list[int]

    @property
    def subject_id(self) -> UUID:
        return self.episode_id or self.show_id


def milestones(*, above: int, up_to: int) -> Iterator[int]:
    """The milestones in (above, up_to], in order."""
    power = 10
    while power * _STEPS[0] <= up_to:
        for step in _STEPS:
            if above < power * step <= up_to:
                yield power * step
        power *= 10


def find_milestones() -> None:
    """Tell of what was reached since the last look; may run twice and beside itself."""
    wanting = organizations_wanting(EventType.DOWNLOADS_MILESTONE)
    MilestoneWatch.objects.exclude(organization_id__in=wanting).delete()
    for organization_id in wanting:
        try:
            _look_at(organization_id)
        except Exception:
            logger.exception("Milestones of organisation %s could not be told", organization_id)


@transaction.atomic
def _look_at(organization_id: UUID) -> None:
    _, is_new = MilestoneWatch.objects.get_or_create(organization_id=organization_id)
    # Held, so that a second run beside this one finds everything told already.
    MilestoneWatch.objects.select_for_update().get(pk=organization_id)
    crossings = list(_crossings(organization_id))
    _remember(organization_id, crossings)
    if not is_new:
        _tell(organization_id, crossings)


def _crossings(organization_id: UUID) -> Iterator[_Crossing]:
    reached = dict(
        Milestone.objects.filter(organization_id=organization_id).values_list(
            "subject_id", "reached"
        )
    )
    totals = (
        MonthTotal.objects.filter(
            show__in=Show.objects.filter(organization_id=organization_id), dimension=Dimension.ALL
        )
        .order_by()
        .values_list("show_id", "episode_id")
        .annotate(sum=Sum("downloads"))
        .filter(sum__gte=FIRST)
    )
    for show_id, episode_id, downloads in totals:
        above = reached.get(episode_id or show_id, 0)
        if passed := list(milestones(above=above, up_to=int(downloads))):
            yield _Crossing(show_id, episode_id, int(downloads), passed)


def _remember(organization_id: UUID, crossings: list[_Crossing]) -> None:
    rows = [
        Milestone(
            subject_id=one.subject_id, organization_id=organization_id, reached=one.reached[-1]
        )
        for one in crossings
    ]
    Milestone.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["subject_id"],
        update_fields=["reached", "reached_at"],
    )


def _tell(organization_id: UUID, crossings: list[_Crossing]) -> None:
    shows = Show.objects.alive().in_bulk({one.show_id for one in crossings})
    episodes = Episode.objects.alive().in_bulk(
        {one.episode_id for one in crossings if one.episode_id}
    )
    for one in crossings:
        show = shows.get(one.show_id)
        episode = episodes.get(one.episode_id) if one.episode_id else None
        if show is None or (one.episode_id and episode is None):
            continue  # deleted since
        for milestone in one.reached:
            emit(
                organization_id=organization_id,
                event_type=EventType.DOWNLOADS_MILESTONE,
                show_id=one.show_id,
                data=_data(show, episode, milestone, one.downloads),
            )


def _data(show: Show, episode: Episode | None, milestone: int, downloads: int) -> dict[str, Any]:
    return {
        "organization_id": str(show.organization_id),
        "subject": "episode" if episode else "show",
        "show_id": str(show.pk),
        "show_title": show.title,
        "episode_id": str(episode.pk) if episode else None,
        "title": episode.title if episode else show.title,
        "milestone": milestone,
        "downloads": downloads,
        "url": urls.episode_url(show, episode) if episode else urls.show_url(show),
        "api_url": urls.episode_api_url(episode.pk) if episode else urls.show_api_url(show.pk),
    }
