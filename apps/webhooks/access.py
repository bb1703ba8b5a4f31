"""The door to webhooks, for admins and owners: 404 for a stranger, 403 for too weak a role."""

from uuid import UUID

from django.db.models import FETCH_RAISE, QuerySet
from django.http import Http404

from apps.accounts.access import membership_condition, require_role
from apps.accounts.actors import Actor
from apps.accounts.models import Organization
from apps.accounts.roles import Role
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint


def endpoints_of(organization: Organization) -> QuerySet[WebhookEndpoint]:
    """The endpoints of an organisation that the caller was let into, newest first."""
    endpoints = WebhookEndpoint.objects.filter(organization=organization)
    return endpoints.order_by("-id").fetch_mode(FETCH_RAISE)


def endpoints_of_member(actor: Actor) -> QuerySet[WebhookEndpoint]:
    """Those of all organisations that the actor belongs to; callers have checked the role."""
    return WebhookEndpoint.objects.filter(membership_condition(actor))


def deliveries_of_member(actor: Actor) -> QuerySet[WebhookDelivery]:
    """As :func:`endpoints_of_member`, for what was sent to them."""
    path = "endpoint__organization"
    return WebhookDelivery.objects.filter(membership_condition(actor, path=path))


def get_endpoint(actor: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    """An endpoint of one of the person's organisations."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).select_related("organization").first()
    if endpoint is None:
        raise Http404("There is no such webhook.")
    require_role(actor, endpoint.organization_id, Role.ADMIN)
    return endpoint


def locked_endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    """The stored row of one that the caller was let to, held until the transaction ends.

    Http404 when it was deleted meanwhile.
    """
    endpoints = WebhookEndpoint.objects.select_for_update(no_key=True)
    endpoint = endpoints.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise Http404("There is no such webhook.")
    return endpoint


def deliveries_of(endpoint: WebhookEndpoint, status: str = "") -> QuerySet[WebhookDelivery]:
    """What was sent to an endpoint that the caller was let to, newest first; of one status."""
    deliveries = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event")
    if status:
        deliveries = deliveries.filter(status=status)
    return deliveries.prefetch_related("attempts").order_by("-id").fetch_mode(FETCH_RAISE)


def get_delivery(actor: Actor, delivery_id: UUID) -> WebhookDelivery:
    """A delivery to an endpoint of one of the person's organisations, with all its attempts."""
    delivery = (
        WebhookDelivery.objects.filter(pk=delivery_id)
        .select_related("event", "endpoint", "endpoint__organization")
        .prefetch_related("attempts")
        .first()
    )
    if delivery is None:
        raise Http404("There is no such delivery.")
    require_role(actor, delivery.endpoint.organization_id, Role.ADMIN)
    return delivery
