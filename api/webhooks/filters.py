"""Which deliveries are wanted."""

import django_filters

from apps.webhooks.models import DeliveryStatus, WebhookDelivery


class DeliveryFilters(django_filters.FilterSet):
    """Of the log of one webhook."""

    status = django_filters.ChoiceFilter(choices=DeliveryStatus.choices)
    type = django_filters.CharFilter(
        field_name="event__type", help_text="Of the event, as `episode.published`."
    )

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []
