"""Which episodes are wanted."""

import django_filters
from django.db.models import QuerySet

from api.base.filters import IntegerFilter, MomentFilter
from apps.core.clock import now
from podcasts.models import Episode, EpisodeStatus, EpisodeType
from podcasts.querysets import EpisodeQuerySet


class EpisodeFilters(django_filters.FilterSet):
    """Of lists of episodes."""

    status = django_filters.ChoiceFilter(
        choices=EpisodeStatus.choices,
        method="of_status",
        help_text="As people see it: a scheduled one whose time has come is published.",
    )
    type = django_filters.ChoiceFilter(choices=EpisodeType.choices)
    season = IntegerFilter(field_name="season_number", help_text="Its number.")
    published_after = MomentFilter(
        field_name="published_at", lookup_expr="gte", help_text="This moment included."
    )
    published_before = MomentFilter(
        field_name="published_at", lookup_expr="lt", help_text="This moment excluded."
    )
    search = django_filters.CharFilter(
        field_name="title", lookup_expr="icontains", help_text="Words in the title."
    )

    class Meta:
        model = Episode
        fields: list[str] = []

    def of_status(self, rows: EpisodeQuerySet, name: str, value: str) -> QuerySet[Episode]:
        """As the studio's list has it."""
        return rows.shown_as(value, now())


class EpisodesOfAllShowsFilters(EpisodeFilters):
    """Of lists that go across shows."""

    show = django_filters.UUIDFilter(help_text="Only those of this show.")
    organization = django_filters.UUIDFilter(help_text="Only those of this organisation.")
