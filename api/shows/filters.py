"""Which shows are wanted."""

import django_filters

from podcasts.models import Show


class ShowFilters(django_filters.FilterSet):
    """Of the list of shows."""

    organization = django_filters.UUIDFilter(help_text="Only those of this organisation.")
    search = django_filters.CharFilter(
        field_name="title", lookup_expr="icontains", help_text="Words in the title."
    )

    class Meta:
        model = Show
        fields: list[str] = []
