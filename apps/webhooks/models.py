"""Who wants to be told, what happened, and how the telling went."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from apps.accounts.models import Organization, User
from apps.core.clock import now
from apps.core.ids import new_id
from apps.webhooks.outcome import is_taken

MAX_URL = 500


def new_event_id() -> str:
    """What receivers know a message by, as Standard Webhooks recommends to write it."""
    return f"msg_{new_id().hex}"


class DisabledReason(models.TextChoices):
    """Who switched an endpoint off."""

    BY_HAND = "by_hand", "Switched off by hand"
    GONE = "gone", "The receiver answered 410 Gone"
    FAILING = "failing", "Nothing arrived for days"


class WebhookEndpoint(models.Model):
    """An address that is told of an organisation's events."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    url = models.CharField(max_length=MAX_URL)
    description = models.CharField(max_length=200, blank=True)
    events = ArrayField(models.CharField(max_length=40))
    # Of one show only; a plain id, because this room knows no shows.
    show_id = models.UUIDField(null=True, blank=True)
    secret_sealed = models.BinaryField()
    # The secret before the last rotation, which signs as well until then.
    previous_secret_sealed = models.BinaryField(null=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason, blank=True)
    # Since when every attempt has failed; empty after one that arrived.
    failing_since = models.DateTimeField(null=True, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_enabled=True, disabled_at=None, disabled_reason="")
                | Q(
                    is_enabled=False,
                    disabled_at__isnull=False,
                    disabled_reason__in=DisabledReason.values,
                ),
                name="webhook_endpoint_disabled_says_why",
            ),
            models.CheckConstraint(
                condition=Q(events__len__gt=0), name="webhook_endpoint_wants_something"
            ),
        ]
        indexes = [
            # Every change of an episode asks it, mostly to learn that nobody wants to know.
            models.Index(
                fields=["organization"],
                condition=Q(is_enabled=True),
                name="webhook_endpoint_wanting",
            ),
            GinIndex(
                fields=["events"], condition=Q(is_enabled=True), name="webhook_endpoint_events"
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url


class WebhookEvent(models.Model):
    """Something that happened, as it is told to every endpoint that wants it."""

    id = models.CharField(primary_key=True, max_length=40, default=new_event_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=40)
    show_id = models.UUIDField(null=True, blank=True)
    data = models.JSONField()
    created_at = models.DateTimeField(default=now, db_index=True)

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    @property
    def payload(self) -> dict[str, Any]:
        """The message, in the shape that Standard Webhooks recommends."""
        moment = self.created_at.isoformat().replace("+00:00", "Z")
        return {"type": self.type, "timestamp": moment, "data": self.data}


class DeliveryStatus(models.TextChoices):
    """``pending`` is tried again at ``next_attempt_at``; the others are ends."""

    PENDING = "pending", "Pending"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries"
    )
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    # Attempts that were begun; each has a row. Those before a replay don't count for the schedule.
    attempt_count = models.PositiveIntegerField(default=0)
    attempts_before_replay = models.PositiveIntegerField(default=0)
    # While an attempt is under way: when it is taken for lost, and made again.
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=now)
    created_at = models.DateTimeField(default=now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint("event", "endpoint", name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(
                    status=DeliveryStatus.PENDING, next_attempt_at__isnull=False, finished_at=None
                )
                | Q(
                    status__in=[DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED],
                    next_attempt_at=None,
                    finished_at__isnull=False,
                ),
                name="webhook_delivery_pending_is_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "endpoint"],
                condition=Q(status="pending"),
                name="webhook_delivery_due",
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
            models.Index(
                fields=["endpoint", "finished_at"],
                condition=Q(status="failed"),
                name="webhook_delivery_failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}: {self.status}"

    def end(self, status: DeliveryStatus) -> None:
        """Store that it has arrived or failed."""
        self.status = status
        self.next_attempt_at, self.finished_at = None, now()
        self.save(update_fields=["status", "next_attempt_at", "finished_at"])

    @property
    def last_attempt(self) -> "WebhookAttempt | None":
        """The latest request. Reads the prefetched attempts."""
        attempts = list(self.attempts.all())
        return attempts[-1] if attempts else None


class WebhookAttempt(models.Model):
    """One request to an endpoint, written down before it is sent."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()  # from 1
    started_at = models.DateTimeField(default=now)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)  # nothing: never ended
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)  # nothing: no answer
    response_excerpt = models.TextField(blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint("delivery", "number", name="webhook_attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} at {self.delivery_id}"

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message."""
        return is_taken(self.status_code)
