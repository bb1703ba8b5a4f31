"""Sending again what was sent before: the same message, with the same id."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, QuerySet

from apps.core.clock import now
from apps.webhooks.emitting import send_soon
from apps.webhooks.endpoints import require_enabled, spend_by_hand
from apps.webhooks.event_types import PING
from apps.webhooks.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint


@transaction.atomic
def replay_delivery(*, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send one again, whether it arrived or not; returns the stored row.

    Raises ValidationError while it is on its way, and when its endpoint is switched off.
    """
    require_enabled(delivery.endpoint)
    spend_by_hand(delivery.endpoint)
    if not _replay(WebhookDelivery.objects.filter(pk=delivery.pk)):
        raise ValidationError("This delivery is still on its way.", code="delivery_pending")
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_failed(*, endpoint: WebhookEndpoint, since: datetime) -> int:
    """Send again all that failed since then, tests apart; how many there were.

    Raises ValidationError when the endpoint is switched off.
    """
    require_enabled(endpoint)
    spend_by_hand(endpoint)
    return _replay(
        WebhookDelivery.objects.filter(
            endpoint=endpoint, status=DeliveryStatus.FAILED, finished_at__gte=since
        ).exclude(event__type=PING)
    )


def _replay(deliveries: QuerySet[WebhookDelivery]) -> int:
    count = deliveries.exclude(status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.PENDING,
        next_attempt_at=now(),
        finished_at=None,
        attempts_before_replay=F("attempt_count"),
    )
    if count:
        send_soon()
    return count
