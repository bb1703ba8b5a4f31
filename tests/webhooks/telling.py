"""What tests of webhooks say to them."""

from datetime import timedelta
from typing import Any

from apps.core.clock import now
from apps.webhooks.emitting import emit
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.sending import send_due
from tests.webhooks.receiver import Receiver

UPDATED = EventType.EPISODE_UPDATED


def tell(endpoint: WebhookEndpoint, **data: Any) -> WebhookDelivery:
    """Something happened that this endpoint wants to know."""
    event = emit(organization_id=endpoint.organization_id, event_type=UPDATED, data=data)
    assert event is not None
    return WebhookDelivery.objects.get(event=event, endpoint=endpoint)


def pass_time(clock: Any, pause: timedelta) -> None:
    clock.shift(pause * 1.1 + timedelta(seconds=1))


def fail_for_good(endpoint: WebhookEndpoint, receiver: Receiver) -> WebhookDelivery:
    receiver.status = 500
    delivery = tell(endpoint)
    send_due()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        status="failed", next_attempt_at=None, finished_at=now()
    )
    delivery.refresh_from_db()
    return delivery
