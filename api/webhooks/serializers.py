"""Webhooks, deliveries and attempts as programs see them."""

from typing import Any

from rest_framework import serializers

from api.base.fields import IdField
from api.base.rows import Computed, RowSerializer, told_once
from apps.webhooks.event_types import EventType
from apps.webhooks.models import (
    MAX_URL,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)


class WebhookSerializer(RowSerializer[WebhookEndpoint]):
    """An address that is told of events; its secret is shown when it is made, and never again."""

    show = IdField(
        source="show_id",
        allow_null=True,
        help_text="The only show that it is told of; null for all.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id",
            "organization",
            "url",
            "description",
            "events",
            "show",
            "is_enabled",
            "disabled_at",
            "disabled_reason",
            "failing_since",
            "previous_secret_until",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class CreatedWebhookSerializer(WebhookSerializer):
    """The one answer that holds the secret."""

    secret = told_once(
        serializers.CharField(
            allow_null=True,
            help_text="`whsec_` and base64. Keep it: it is not shown again, and null when the "
            "request is repeated.",
        )
    )

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookInput(serializers.Serializer[Any]):
    """What can be said about a webhook."""

    url = serializers.CharField(
        max_length=MAX_URL,
        help_text="https, and on the public internet. Redirects aren’t followed.",
    )
    description = serializers.CharField(max_length=200, allow_blank=True, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EventType.choices), allow_empty=False
    )
    show = IdField(
        source="show_id",
        required=False,
        allow_null=True,
        help_text="Tell of this show only; null, or left out: of all.",
    )
    is_enabled = serializers.BooleanField(required=False)


class SecretSerializer(serializers.Serializer[Any]):
    """A secret, shown once."""

    secret = serializers.CharField(
        allow_null=True, help_text="Shown this once; null when the request is repeated."
    )
    previous_secret_until = serializers.DateTimeField(
        help_text="Until then messages are signed with the secret before as well."
    )


class SinceInput(serializers.Serializer[Any]):
    """From when on."""

    since = serializers.DateTimeField(help_text="What failed since then, this moment included.")


class ReplayedSerializer(serializers.Serializer[Any]):
    """How much is sent again."""

    count = serializers.IntegerField()


class EventBriefSerializer(RowSerializer[WebhookEvent]):
    """What happened."""

    timestamp = serializers.DateTimeField(source="created_at")

    class Meta:
        model = WebhookEvent
        fields = ["id", "type", "timestamp"]
        read_only_fields = fields


class EventSerializer(RowSerializer[WebhookEvent]):
    """What happened, and what was sent."""

    timestamp = serializers.DateTimeField(source="created_at")
    payload = Computed(
        lambda event: event.payload,
        serializers.DictField(help_text="The body of every request."),
        reads=["type", "created_at", "data"],
    )

    class Meta:
        model = WebhookEvent
        fields = ["id", "type", "timestamp", "payload"]
        read_only_fields = fields


class AttemptSerializer(RowSerializer[WebhookAttempt]):
    """One request; without a duration nobody knows how it ended."""

    class Meta:
        model = WebhookAttempt
        fields = [
            "number",
            "started_at",
            "duration_ms",
            "status_code",
            "response_excerpt",
            "error",
        ]
        read_only_fields = fields


_DELIVERY_FIELDS = [
    "id",
    "webhook",
    "event",
    "status",
    "attempt_count",
    "next_attempt_at",
    "created_at",
    "finished_at",
]


class DeliveryBriefSerializer(RowSerializer[WebhookDelivery]):
    """One event on its way to one webhook."""

    webhook = IdField(source="endpoint_id")
    event = EventBriefSerializer()

    class Meta:
        model = WebhookDelivery
        fields = _DELIVERY_FIELDS
        read_only_fields = fields


class DeliverySerializer(RowSerializer[WebhookDelivery]):
    """The same with what was sent and what was answered."""

    webhook = IdField(source="endpoint_id")
    event = EventSerializer()
    attempts = AttemptSerializer(many=True)

    class Meta:
        model = WebhookDelivery
        fields = [*_DELIVERY_FIELDS, "attempts"]
        read_only_fields = fields
