"""What becomes of a delivery and its endpoint after an attempt."""

from datetime import timedelta

from django.db import transaction

from apps.core.clock import now
from apps.webhooks.claiming import Claim
from apps.webhooks.endpoints import disable_endpoint
from apps.webhooks.event_types import PING
from apps.webhooks.models import (
    DeliveryStatus,
    DisabledReason,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from apps.webhooks.outcome import Outcome
from apps.webhooks.schedule import pause_after

# An endpoint at which nothing arrived for this long is switched off.
FAILING_FOR = timedelta(days=5)
_GONE = 410


@transaction.atomic
def record_outcome(claim: Claim, outcome: Outcome) -> None:
    """Write an attempt's outcome down and plan what follows; nothing when all was deleted."""
    endpoints = WebhookEndpoint.objects.select_for_update(no_key=True)
    endpoint = endpoints.filter(pk=claim.endpoint_id).first()
    deliveries = WebhookDelivery.objects.select_for_update(no_key=True)
    delivery = deliveries.filter(pk=claim.delivery_id).first()
    if endpoint is None or delivery is None:
        return
    WebhookAttempt.objects.filter(delivery=delivery, number=claim.number).update(
        duration_ms=outcome.duration_ms,
        status_code=outcome.status_code,
        response_excerpt=outcome.response_excerpt,
        error=outcome.error,
    )
    if outcome.is_success:
        _arrived(delivery, claim)
    else:
        _failed(delivery, claim, outcome)
    _note_health(endpoint, claim, outcome)


def _arrived(delivery: WebhookDelivery, claim: Claim) -> None:
    """Also when the attempt was taken for lost, or its endpoint was switched off meanwhile."""
    if claim.number > delivery.attempts_before_replay:
        delivery.end(DeliveryStatus.SUCCEEDED)


def _failed(delivery: WebhookDelivery, claim: Claim, outcome: Outcome) -> None:
    is_last_word = delivery.attempt_count == claim.number
    if delivery.status != DeliveryStatus.PENDING or not is_last_word:
        return
    attempts = delivery.attempt_count - delivery.attempts_before_replay
    pause = pause_after(attempts, outcome.retry_after)
    if pause is None or claim.event_type == PING:
        delivery.end(DeliveryStatus.FAILED)
        return
    delivery.next_attempt_at = now() + pause
    delivery.save(update_fields=["next_attempt_at"])


def _note_health(endpoint: WebhookEndpoint, claim: Claim, outcome: Outcome) -> None:
    moment = now()
    endpoint.last_attempt_at = moment
    if outcome.is_success:
        endpoint.last_success_at, endpoint.failing_since = moment, None
    elif endpoint.failing_since is None:
        endpoint.failing_since = moment
    endpoint.save(update_fields=["last_attempt_at", "last_success_at", "failing_since"])
    if not endpoint.is_enabled:
        return
    if outcome.status_code == _GONE:
        disable_endpoint(endpoint, DisabledReason.GONE)
    elif endpoint.failing_since is not None and endpoint.failing_since <= moment - FAILING_FOR:
        disable_endpoint(endpoint, DisabledReason.FAILING)
