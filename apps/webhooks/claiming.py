"""Who sends which message: taken by one worker at a time, and by another when that one dies.

A message is taken in a transaction of its own, before it is sent, and its outcome is written down
afterwards. A worker that dies between the two leaves a message that nobody can tell whether it
arrived: it is sent again. So it arrives at least once, and receivers know a repetition by its id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min, QuerySet

from apps.core.clock import now
from apps.core.sealing import UnsealableError
from apps.webhooks.endpoints import end_deliveries
from apps.webhooks.models import (
    DeliveryStatus,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from apps.webhooks.schedule import MAX_ATTEMPTS
from apps.webhooks.sealing import unseal

# Longer than any request takes: what was not heard of until then is lost.
LEASE = timedelta(seconds=60)
# Requests to one endpoint at the same time. One that fails is asked by one at a time.
AT_ONCE = 4
AT_ONCE_WHILE_FAILING = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt, ours to make; its number tells it from a later one."""

    delivery_id: UUID
    endpoint_id: UUID
    number: int
    url: str
    event_id: str
    event_type: str
    payload: dict[str, Any]
    secrets: tuple[str, ...]  # none when they can't be read
    is_failing: bool


def claim_due(*, busy: Mapping[UUID, int], room: int, room_for_failing: int) -> list[Claim]:
    """At most ``room`` messages that are due, those waiting longest first, each for us alone.

    ``busy`` says how many requests are under way to which endpoint. Endpoints whose last attempt
    failed stand behind the others and get at most ``room_for_failing``: slow and dead receivers
    can't keep messages from the rest.
    """
    claims: list[Claim] = []
    for endpoint in _waiting_endpoints():
        is_failing = endpoint.failing_since is not None
        limit = AT_ONCE_WHILE_FAILING if is_failing else AT_ONCE
        free = min(limit - busy.get(endpoint.pk, 0), room - len(claims))
        if is_failing:
            free = min(free, room_for_failing)
        if free <= 0:
            continue
        taken = _take(endpoint, free)
        claims += taken
        room_for_failing -= len(taken) if is_failing else 0
    return claims


def is_due() -> bool:
    """Whether anything waits to be sent now."""
    return _due(now()).exists()


def _due(at: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING, next_attempt_at__lte=at)


def _waiting_endpoints() -> list[WebhookEndpoint]:
    """Those that arrive first, then by how long the first of their messages has waited."""
    waiting = _due(now()).order_by().values_list("endpoint_id").annotate(Min("next_attempt_at"))
    since = dict(waiting)
    endpoints = list(WebhookEndpoint.objects.filter(pk__in=since))
    for endpoint in endpoints:
        if not endpoint.is_enabled:  # written down at the moment in which it was switched off
            end_deliveries(endpoint)
    return sorted(
        (endpoint for endpoint in endpoints if endpoint.is_enabled),
        key=lambda endpoint: (endpoint.failing_since is not None, since[endpoint.pk]),
    )


@transaction.atomic
def _take(endpoint: WebhookEndpoint, count: int) -> list[Claim]:
    due = (
        _due(now())
        .filter(endpoint=endpoint)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("event")
        .order_by("next_attempt_at", "id")[:count]
    )
    moment = now()
    secrets = tuple(_secrets(endpoint, moment))
    claims = []
    for delivery in due:
        if delivery.attempt_count - delivery.attempts_before_replay >= MAX_ATTEMPTS:
            # Every worker that had it died: whatever the reason, it ends here.
            delivery.end(DeliveryStatus.FAILED)
            continue
        delivery.attempt_count += 1
        delivery.next_attempt_at = moment + LEASE
        delivery.save(update_fields=["attempt_count", "next_attempt_at"])
        WebhookAttempt.objects.create(
            delivery=delivery, number=delivery.attempt_count, started_at=moment
        )
        claims.append(_claim(delivery, endpoint, secrets))
    return claims


def _claim(delivery: WebhookDelivery, endpoint: WebhookEndpoint, secrets: tuple[str, ...]) -> Claim:
    return Claim(
        delivery_id=delivery.pk,
        endpoint_id=endpoint.pk,
        number=delivery.attempt_count,
        url=endpoint.url,
        event_id=delivery.event_id,
        event_type=delivery.event.type,
        payload=delivery.event.payload,
        secrets=secrets,
        is_failing=endpoint.failing_since is not None,
    )


def _secrets(endpoint: WebhookEndpoint, at: datetime) -> Iterator[str]:
    try:
        yield unseal(endpoint.secret_sealed, endpoint.pk)
        until = endpoint.previous_secret_until
        previous = endpoint.previous_secret_sealed
        if until is not None and at < until and previous is not None:
            yield unseal(previous, endpoint.pk)
    except UnsealableError:
        return
