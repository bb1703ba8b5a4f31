"""What changes in endpoints: made, edited, given another secret, switched off, tested, deleted."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TypedDict, Unpack
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import Organization, User
from apps.core.buckets import spend_from
from apps.core.clock import now
from apps.webhooks.access import locked_endpoint
from apps.webhooks.addresses import check_url
from apps.webhooks.emitting import deliver
from apps.webhooks.event_types import PING, EventType
from apps.webhooks.models import (
    DeliveryStatus,
    DisabledReason,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from apps.webhooks.sealing import new_secret, seal

MAX_ENDPOINTS = 20  # of one organisation: each is sent every event that it wants
# Both secrets sign for this long, so that a receiver can change over without losing a message.
# Tests and replays of one endpoint, which send although nothing has happened.
BY_HAND_A_MINUTE = 10
ROTATION_OVERLAP = timedelta(hours=24)


class EndpointFields(TypedDict, total=False):
    """What a person can say about an endpoint."""

    url: str
    description: str
    events: list[str]
    show_id: UUID | None
    is_enabled: bool


def create_endpoint(
    *, organization: Organization, created_by: User | None, **fields: Unpack[EndpointFields]
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its secret, which nobody is shown again.

    That the show is the organisation's is for the caller to check. Raises ValidationError by field.
    """
    _check(fields)
    return _create(organization, created_by, fields)


@transaction.atomic
def _create(
    organization: Organization, created_by: User | None, fields: EndpointFields
) -> tuple[WebhookEndpoint, str]:
    # Two made at once must not both be the last that is allowed.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if WebhookEndpoint.objects.filter(organization=organization).count() >= MAX_ENDPOINTS:
        raise ValidationError(
            f"An organisation can have {MAX_ENDPOINTS} webhooks. Delete one that is not used.",
            code="limit_reached",
        )
    secret = new_secret()
    endpoint = WebhookEndpoint(organization=organization, created_by=created_by)
    endpoint.secret_sealed = seal(secret, endpoint.pk)
    _change(endpoint, fields)
    endpoint.save(force_insert=True)
    return endpoint, secret


def update_endpoint(
    *, endpoint: WebhookEndpoint, **fields: Unpack[EndpointFields]
) -> WebhookEndpoint:
    """Change what is named and nothing else; returns the stored endpoint.

    Raises ValidationError by field, and Http404 when it was deleted meanwhile.
    """
    _check(fields)
    return _update(endpoint, fields)


@transaction.atomic
def _update(endpoint: WebhookEndpoint, fields: EndpointFields) -> WebhookEndpoint:
    endpoint = locked_endpoint(endpoint.pk)
    was_enabled = endpoint.is_enabled
    _change(endpoint, fields)
    endpoint.updated_at = now()
    endpoint.save()
    if was_enabled and not endpoint.is_enabled:
        end_deliveries(endpoint)
    return endpoint


def _check(fields: EndpointFields) -> None:
    """Bring them into the form in which they are stored; raises ValidationError by field.

    A name is looked up, which may take seconds: before anything is held.
    """
    if "url" in fields:
        fields["url"] = check_url(fields["url"])
    if "events" in fields:
        fields["events"] = _check_events(fields["events"])


def _change(endpoint: WebhookEndpoint, fields: EndpointFields) -> None:
    is_enabled = fields.pop("is_enabled", endpoint.is_enabled)
    for name, value in fields.items():
        setattr(endpoint, name, value)
    endpoint.clean_fields(exclude=["created_by", "secret_sealed", "previous_secret_sealed"])
    if is_enabled and not endpoint.is_enabled:
        endpoint.is_enabled = True
        endpoint.disabled_at, endpoint.disabled_reason = None, ""
        endpoint.failing_since = None
    elif endpoint.is_enabled and not is_enabled:
        _switch_off(endpoint, DisabledReason.BY_HAND)


def _check_events(events: Iterable[str]) -> list[str]:
    """Without repetitions, in the order of the list of all."""
    wanted = set(events)
    if unknown := sorted(wanted - set(EventType.values)):
        raise ValidationError(
            {"events": ValidationError(f"There is no event “{unknown[0]}”.", code="unknown_event")}
        )
    if not wanted:
        raise ValidationError(
            {"events": ValidationError("Choose at least one event.", code="no_event")}
        )
    return [event for event in EventType.values if event in wanted]


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint) -> tuple[WebhookEndpoint, str]:
    """Another secret, which is returned once; the one before signs as well for 24 hours.

    Returns the stored endpoint with it. Raises Http404 when it was deleted meanwhile.
    """
    endpoint = locked_endpoint(endpoint.pk)
    secret = new_secret()
    endpoint.previous_secret_sealed = endpoint.secret_sealed
    endpoint.previous_secret_until = now() + ROTATION_OVERLAP
    endpoint.secret_sealed = seal(secret, endpoint.pk)
    endpoint.save(
        update_fields=["secret_sealed", "previous_secret_sealed", "previous_secret_until"]
    )
    return endpoint, secret


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A ping to this endpoint, tried once; ValidationError when it is switched off."""
    require_enabled(endpoint)
    spend_by_hand(endpoint)
    event = WebhookEvent.objects.create(
        organization_id=endpoint.organization_id,
        type=PING,
        data={"webhook_id": str(endpoint.pk)},
    )
    for delivery in deliver(event, [endpoint.pk]):
        return delivery
    raise ValidationError("This webhook was deleted meanwhile.", code="webhook_disabled")


def spend_by_hand(endpoint: WebhookEndpoint) -> None:
    """Raise ValidationError when it was tested and replayed too often in the last minute."""
    spent = spend_from(f"webhook-by-hand:{endpoint.pk}", BY_HAND_A_MINUTE)
    if spent is not None and not spent.is_allowed:
        raise ValidationError(
            f"A webhook can be tested, or its deliveries sent again, {BY_HAND_A_MINUTE} times a "
            f"minute. Try again in {spent.wait_seconds} seconds.",
            code="too_often",
        )


def require_enabled(endpoint: WebhookEndpoint) -> None:
    """Raise ValidationError when nothing is sent there."""
    if not endpoint.is_enabled:
        raise ValidationError(
            "This webhook is switched off. Switch it on first.", code="webhook_disabled"
        )


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint) -> None:
    """Delete it with its log; nothing more is sent there.

    Held first, in the order of whoever writes an outcome down: what a worker or a change adds
    meanwhile would have nothing to belong to, and fail one of both.
    """
    held = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first()
    if held is None:
        return
    list(held.deliveries.select_for_update().values_list("pk", flat=True))
    held.delete()


def disable_endpoint(endpoint: WebhookEndpoint, reason: DisabledReason) -> None:
    """Switch a locked endpoint off because of what its receiver does, and tell its people."""
    from apps.webhooks.tasks import tell_of_disabled  # the task calls what calls this module

    _switch_off(endpoint, reason)
    endpoint.save(update_fields=["is_enabled", "disabled_at", "disabled_reason"])
    end_deliveries(endpoint)
    endpoint_id = str(endpoint.pk)
    transaction.on_commit(lambda: tell_of_disabled.delay(endpoint_id), robust=True)


def _switch_off(endpoint: WebhookEndpoint, reason: DisabledReason) -> None:
    endpoint.is_enabled = False
    endpoint.disabled_at = now()
    endpoint.disabled_reason = reason


def end_deliveries(endpoint: WebhookEndpoint) -> None:
    """What was on its way fails, and can be sent again once the endpoint is switched on."""
    WebhookDelivery.objects.filter(endpoint=endpoint, status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.FAILED, next_attempt_at=None, finished_at=now()
    )
