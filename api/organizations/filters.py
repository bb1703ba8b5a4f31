"""Which members are wanted."""

import django_filters
from django.db.models import Q, QuerySet

from apps.accounts.models import Membership
from apps.accounts.roles import Role


class MemberFilters(django_filters.FilterSet):
    """Of an organisation's members."""

    role = django_filters.ChoiceFilter(choices=Role.choices)
    search = django_filters.CharFilter(
        method="with_words", help_text="Part of the name or the mail address."
    )

    class Meta:
        model = Membership
        fields: list[str] = []

    def with_words(self, rows: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
        """In either."""
        return rows.filter(Q(user__name__icontains=value) | Q(user__email__icontains=value))
