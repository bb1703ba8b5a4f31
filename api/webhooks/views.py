"""Webhooks: set up, tested, and their deliveries looked at and repeated; for admins and owners."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.permissions import require_scope
from api.base.refusals import telling_refusals
from api.base.views import ApiView, ListView, RowsView, RowView
from api.webhooks.filters import DeliveryFilters
from api.webhooks.serializers import (
    CreatedWebhookSerializer,
    DeliveryBriefSerializer,
    DeliverySerializer,
    ReplayedSerializer,
    SecretSerializer,
    SinceInput,
    WebhookInput,
    WebhookSerializer,
)
from apps.accounts.access import require_role
from apps.accounts.actors import has_scope, person_of
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.webhooks.access import (
    deliveries_of_member,
    endpoints_of_member,
    get_delivery,
    get_endpoint,
)
from apps.webhooks.endpoints import (
    BY_HAND_A_MINUTE,
    MAX_ENDPOINTS,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
    update_endpoint,
)
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.replaying import replay_delivery, replay_failed
from podcasts.access import get_show

_OF_ADMINS = {403: FORBIDDEN, 404: NOT_FOUND}
_WRONG = (
    INVALID + " Codes: `no_such_show` for `show`; `https_required`, `credentials` "
    "and `private_address` for `url`."
)
_DISABLED = "`webhook_disabled`: switch it on first."
_BY_HAND = {429: f"`too_often`: {BY_HAND_A_MINUTE} tests and replays of a webhook a minute."}


def _require_show(request: Request, organization_id: UUID, fields: dict[str, Any]) -> None:
    show_id = fields.get("show_id")
    if show_id is None:
        return
    try:
        is_ours = get_show(request.user, show_id).organization_id == organization_id
    except Http404:
        is_ours = False
    if not is_ours:
        message = "The organisation has no such show."
        raise ValidationError({"show": ValidationError(message, code="no_such_show")})


def _require_figures(request: Request, events: Collection[str]) -> None:
    """What is sent of downloads is told to whoever may see downloads."""
    if EventType.DOWNLOADS_MILESTONE in events:
        require_scope(request.user, Scope.STATS)


class WebhooksView(ListView[WebhookEndpoint]):
    """``/organizations/<id>/webhooks/``: newest first."""

    serializer_class = WebhookSerializer
    row_route = ("webhook",)

    def rows(self) -> QuerySet[WebhookEndpoint]:
        organization_id = self.kwargs["organization_id"]
        return endpoints_of_member(self.request.user).filter(organization=organization_id)

    @extend_schema(
        operation_id="list_organization_webhooks",
        responses={200: WebhookSerializer(many=True), **problems(_OF_ADMINS)},
    )
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One page of an organisation's webhooks."""
        require_role(request.user, organization_id, Role.ADMIN)
        return super().get(request)

    @extend_schema(
        operation_id="create_organization_webhook",
        request=WebhookInput,
        responses={
            201: CreatedWebhookSerializer,
            **problems(
                _OF_ADMINS
                | {
                    400: _WRONG,
                    409: f"`limit_reached`: an organisation can have {MAX_ENDPOINTS}.",
                }
            ),
        },
    )
    def post(self, request: Request, organization_id: UUID) -> Response:
        """Set one up. The answer holds its secret, which is not shown again."""
        membership = require_role(request.user, organization_id, Role.ADMIN)
        data = WebhookInput(data=request.data)
        data.is_valid(raise_exception=True)
        _require_show(request, organization_id, data.validated_data)
        _require_figures(request, data.validated_data["events"])
        with telling_refusals():
            endpoint, secret = create_endpoint(
                organization=membership.organization,
                created_by=person_of(request.user),
                **data.validated_data,
            )
        return self.row_answer(endpoint.pk, status=201, once={"secret": secret})


class WebhookView(RowView[WebhookEndpoint]):
    """``/webhooks/<id>/``."""

    serializer_class = WebhookSerializer

    def rows(self) -> QuerySet[WebhookEndpoint]:
        return endpoints_of_member(self.request.user)

    @extend_schema(
        operation_id="get_webhook",
        responses={200: WebhookSerializer, **problems(_OF_ADMINS)},
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """A webhook."""
        get_endpoint(request.user, webhook_id)
        return self.row_answer(webhook_id)

    @extend_schema(
        operation_id="update_webhook",
        request=WebhookInput,
        responses={
            200: WebhookSerializer,
            **problems(_OF_ADMINS | {400: _WRONG, 412: CHANGED}),
        },
    )
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        """Change what is named and nothing else; ``is_enabled`` switches it on again."""
        endpoint = get_endpoint(request.user, webhook_id)
        data = WebhookInput(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        _require_show(request, endpoint.organization_id, data.validated_data)
        if {"url", "events", "show_id"} & data.validated_data.keys():
            _require_figures(request, data.validated_data.get("events", endpoint.events))
        with self.unchanged(webhook_id):
            update_endpoint(endpoint=endpoint, **data.validated_data)
        return self.row_answer(webhook_id)

    @extend_schema(
        operation_id="delete_webhook",
        responses={204: None, **problems(_OF_ADMINS | {412: CHANGED})},
    )
    def delete(self, request: Request, webhook_id: UUID) -> Response:
        """Delete a webhook with its log."""
        endpoint = get_endpoint(request.user, webhook_id)
        with self.unchanged(webhook_id):
            delete_endpoint(endpoint=endpoint)
        return Response(status=204)


class WebhookSecretView(ApiView):
    """``/webhooks/<id>/secret/``."""

    @extend_schema(
        operation_id="renew_webhook_secret",
        request=None,
        responses={200: SecretSerializer, **problems(_OF_ADMINS)},
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """Make another secret. Both sign for 24 hours; the new one is not shown again."""
        endpoint = get_endpoint(request.user, webhook_id)
        endpoint, secret = rotate_secret(endpoint=endpoint)
        answer = {"secret": secret, "previous_secret_until": endpoint.previous_secret_until}
        return Response(SecretSerializer(answer).data, headers={"Cache-Control": "no-store"})


class WebhookTestView(RowsView[WebhookDelivery]):
    """``/webhooks/<id>/test/``."""

    serializer_class = DeliveryBriefSerializer

    def rows(self) -> QuerySet[WebhookDelivery]:
        return deliveries_of_member(self.request.user)

    @extend_schema(
        operation_id="test_webhook",
        request=None,
        responses={
            202: DeliveryBriefSerializer,
            **problems(_OF_ADMINS | {409: _DISABLED} | _BY_HAND),
        },
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """Send a ``ping``, once. The delivery tells how it went."""
        endpoint = get_endpoint(request.user, webhook_id)
        with telling_refusals():
            delivery = send_test(endpoint=endpoint)
        return self.row_answer(delivery.pk, status=202)


class WebhookReplayView(ApiView):
    """``/webhooks/<id>/replay/``."""

    @extend_schema(
        operation_id="replay_webhook",
        request=SinceInput,
        responses={
            202: ReplayedSerializer,
            **problems(_OF_ADMINS | {400: INVALID, 409: _DISABLED} | _BY_HAND),
        },
    )
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """Send again all that failed since a moment, with the ids that it had."""
        endpoint = get_endpoint(request.user, webhook_id)
        data = SinceInput(data=request.data)
        data.is_valid(raise_exception=True)
        with telling_refusals():
            count = replay_failed(endpoint=endpoint, since=data.validated_data["since"])
        return Response({"count": count}, status=202)


class DeliveriesView(ListView[WebhookDelivery]):
    """``/webhooks/<id>/deliveries/``: newest first."""

    serializer_class = DeliveryBriefSerializer
    filterset_class = DeliveryFilters

    def rows(self) -> QuerySet[WebhookDelivery]:
        return deliveries_of_member(self.request.user).filter(endpoint=self.kwargs["webhook_id"])

    @extend_schema(
        operation_id="list_webhook_deliveries",
        responses={
            200: DeliveryBriefSerializer(many=True),
            **problems(_OF_ADMINS | {400: INVALID}),
        },
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """One page of what was sent, as long as the log is kept (30 days)."""
        get_endpoint(request.user, webhook_id)
        return super().get(request)


class DeliveryView(RowView[WebhookDelivery]):
    """``/webhook-deliveries/<id>/``."""

    serializer_class = DeliverySerializer

    def rows(self) -> QuerySet[WebhookDelivery]:
        return deliveries_of_member(self.request.user)

    @extend_schema(
        operation_id="get_webhook_delivery",
        responses={200: DeliverySerializer, **problems(_OF_ADMINS)},
    )
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """What was sent, and every attempt."""
        get_delivery(request.user, delivery_id)
        answer = self.row_answer(delivery_id)
        payload = answer.data.get("event", {}).get("payload", {})
        is_figures = payload.get("type") == EventType.DOWNLOADS_MILESTONE
        if is_figures and not has_scope(request.user, Scope.STATS):
            payload["data"] = {}
        return answer


class DeliveryReplayView(RowsView[WebhookDelivery]):
    """``/webhook-deliveries/<id>/replay/``."""

    serializer_class = DeliveryBriefSerializer

    def rows(self) -> QuerySet[WebhookDelivery]:
        return deliveries_of_member(self.request.user)

    @extend_schema(
        operation_id="replay_webhook_delivery",
        request=None,
        responses={
            202: DeliveryBriefSerializer,
            **problems(
                _OF_ADMINS
                | {409: f"{_DISABLED} `delivery_pending`: it is still on its way."}
                | _BY_HAND
            ),
        },
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Send it again, whether it arrived or not: the same message, with the same id."""
        delivery = get_delivery(request.user, delivery_id)
        with telling_refusals():
            replay_delivery(delivery=delivery)
        return self.row_answer(delivery_id, status=202)
