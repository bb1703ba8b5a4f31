"""Which downloads are wanted."""

import django_filters

from api.base.filters import MomentFilter
from apps.downloads.models import Download


class EpisodeDownloadFilters(django_filters.FilterSet):
    """Of an episode's list."""

    app = django_filters.CharFilter(help_text="Its name, exactly.")
    device = django_filters.CharFilter(help_text="Its name, exactly.")
    country = django_filters.CharFilter(help_text="Its code of ISO 3166-1.")
    since = MomentFilter(
        field_name="counted_at",
        lookup_expr="gte",
        help_text="Counted at this moment or later.",
    )
    until = MomentFilter(
        field_name="counted_at", lookup_expr="lt", help_text="Counted before this moment."
    )

    class Meta:
        model = Download
        fields: list[str] = []


class ShowDownloadFilters(EpisodeDownloadFilters):
    """Of a show's list."""

    episode = django_filters.UUIDFilter(
        field_name="episode_id", help_text="Only those of this episode."
    )
