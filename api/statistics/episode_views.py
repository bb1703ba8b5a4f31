"""A show's episodes beside each other: a list of their first days, and curves of up to eight."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.fields import IdField
from api.base.pagination import PAGING, Orderings
from api.base.parameters import ParameterError
from api.base.sequences import SequencePagination
from api.statistics import answers
from api.statistics import serializers as described
from api.statistics.views import ChartView, StatisticsView, subject_of
from apps.downloads import episode_table
from apps.downloads.chart_tables import first_days_key
from apps.downloads.episode_curves import MOST_EPISODES, STEP_HOURS
from apps.downloads.episode_table import Published, published_episodes, sorted_episodes, table_rows


class EpisodesView(StatisticsView):
    """``/shows/<id>/statistics/episodes/``."""

    answer = described.EpisodeRowSerializer
    pagination_class = SequencePagination
    # Each with the column of the table that it stands for.
    orderings: ClassVar = Orderings(
        "-published_at",
        {
            "published_at": episode_table.PUBLISHED,
            "title": episode_table.TITLE,
            **{first_days_key(days): column for column, days in episode_table.FIRST_DAYS.items()},
            "all_time": episode_table.TOTAL,
        },
    )

    def known_parameters(self) -> tuple[str, ...]:
        """Those of lists."""
        return PAGING

    def get(self, request: Request, show_id: UUID) -> Response:
        """Downloads of the first 1, 3, 7, 30 and 90 days of each episode that is or was public.

        In an order by figures, what has none yet comes last, whichever way.
        """
        subject = subject_of(request, show_id)
        episodes = published_episodes(subject)

        def ordered(ordering: str) -> Sequence[Published]:
            sign = "-" if ordering.startswith("-") else ""
            column = self.orderings.expressions[ordering.removeprefix("-")]
            return sorted_episodes(subject, episodes, f"{sign}{column}")

        pages = self.pagination_class()
        page = pages.paginate(request, self.orderings, ordered)
        rows = [answers.episode_row(row) for row in table_rows(subject, page)]
        return pages.get_paginated_response(rows)


class CompareQuery(serializers.Serializer[Any]):
    """Which episodes, and how long."""

    episode = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=MOST_EPISODES,
        help_text=f"Once for each, at most {MOST_EPISODES}; published ones of this show. At an "
        "episode’s own address that one is the first of them by itself.",
    )
    days = serializers.ChoiceField(
        choices=tuple(STEP_HOURS), default=7, help_text="How many days from publication on."
    )


class CompareView(ChartView):
    """``…/statistics/compare/``."""

    query = CompareQuery
    answer = described.CompareChartSerializer

    def get(self, request: Request, **ids: UUID) -> Response:
        """Up to eight episodes, each from the hour in which it came out."""
        subject, asked = self.subject(), self.asked()
        published = {episode.id: episode for episode in published_episodes(subject)}
        own = subject.episode.pk if subject.episode else None
        wanted = list(dict.fromkeys(asked.get("episode", [])))
        if own is None and not wanted:
            raise ParameterError("episode", "required", "Name the episodes to compare.")
        # What is not published yet has no curve, also at its own address.
        if own in published:
            wanted = [own, *(number for number in wanted if number != own)]
        return Response(answers.compare(subject, _chosen(published, wanted), asked["days"]))


def _chosen(published: Mapping[UUID, Published], wanted: Collection[UUID]) -> list[Published]:
    """In the order in which they were named; raises ParameterError."""
    if len(wanted) > MOST_EPISODES:
        detail = f"At most {MOST_EPISODES} episodes can be compared."
        raise ParameterError("episode", "max_length", detail)
    for number in wanted:
        if number not in published:
            detail = f"This show has published no episode {number}."
            raise ParameterError("episode", "unknown_episode", detail)
    return [published[number] for number in wanted]
