"""Keeping the log of deliveries as long as it is promised, and no longer."""

from django.conf import settings

from apps.core.clock import now
from apps.webhooks.models import WebhookEvent

_BATCH = 1000


def prune() -> int:
    """Delete events of before ``WEBHOOK_LOG_LIFETIME``, their deliveries included; how many.

    In small transactions: nothing that is being sent waits for it.
    """
    before = now() - settings.WEBHOOK_LOG_LIFETIME
    count = 0
    while True:
        old = WebhookEvent.objects.filter(created_at__lt=before).order_by("created_at")
        ids = list(old.values_list("pk", flat=True)[:_BATCH])
        if not ids:
            return count
        WebhookEvent.objects.filter(pk__in=ids).delete()
        count += len(ids)
