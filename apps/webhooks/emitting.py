"""Writing down what happened, in the transaction in which it happens, for whoever wants to know."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from apps.core.commits import once_on_commit
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

type Data = Mapping[str, Any] | Callable[[], Mapping[str, Any]]
"""What an event carries, or what makes it: asked only when somebody wants to know."""


def emit(
    *, organization_id: UUID, event_type: EventType, data: Data, show_id: UUID | None = None
) -> WebhookEvent | None:
    """Tell every endpoint that wants this kind of event; None when there is none.

    Part of the caller's transaction: what is undone is told to nobody, what is committed is sent
    even when the queue loses the job. ``data`` is JSON.
    """
    wanting = list(_wanting(organization_id, event_type, show_id).values_list("pk", flat=True))
    if not wanting:
        return None
    with transaction.atomic():
        event = WebhookEvent.objects.create(
            organization_id=organization_id,
            type=event_type,
            show_id=show_id,
            data=dict(data() if callable(data) else data),
        )
        deliver(event, wanting)
    return event


def is_wanted(organization_id: UUID, event_type: EventType, show_id: UUID | None = None) -> bool:
    """Whether anybody would be told: asked before many events are made ready."""
    return _wanting(organization_id, event_type, show_id).exists()


def organizations_wanting(event_type: EventType) -> set[UUID]:
    """The organisations with an endpoint that wants this kind of event."""
    wanting = WebhookEndpoint.objects.filter(is_enabled=True, events__contains=[event_type])
    return set(wanting.values_list("organization_id", flat=True).distinct())


def deliver(event: WebhookEvent, endpoint_ids: list[UUID]) -> list[WebhookDelivery]:
    """In a transaction: write down what is to be sent, and send it once that is committed."""
    rows = [WebhookDelivery(event=event, endpoint_id=pk) for pk in _held(endpoint_ids)]
    deliveries = WebhookDelivery.objects.bulk_create(rows)
    send_soon()
    return deliveries


def _held(endpoint_ids: list[UUID]) -> list[UUID]:
    """Those that are still there, and stay until the transaction ends.

    The lock of a foreign key, which only a deletion waits for; Django has no word for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM webhooks_webhookendpoint WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [endpoint_ids],
        )
        return [pk for (pk,) in cursor.fetchall()]


def send_soon() -> None:
    """Once the transaction is committed, let a worker look; the clock does when no queue works."""
    from apps.webhooks.tasks import send_due  # the task calls what calls this module

    once_on_commit("webhooks", send_due.delay)


def _wanting(
    organization_id: UUID, event_type: EventType, show_id: UUID | None
) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(
        Q(show_id=None) | Q(show_id=show_id) if show_id else Q(show_id=None),
        organization_id=organization_id,
        is_enabled=True,
        events__contains=[event_type],
    )
