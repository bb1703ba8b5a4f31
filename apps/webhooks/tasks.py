"""Jobs about webhooks; each makes one service call."""

from uuid import UUID

from celery import shared_task

from apps.webhooks import pruning, sending, telling


@shared_task
def send_due() -> None:
    """Send what is due, and ask for another job when the time was not enough."""
    if sending.send_due():
        send_due.delay()


@shared_task
def tell_of_disabled(endpoint_id: str) -> None:
    """Mail an organisation's admins about an endpoint; nothing when it is gone or back."""
    telling.tell_of_disabled(UUID(endpoint_id))


@shared_task
def prune() -> None:
    """Forget events that are older than the log is kept."""
    pruning.prune()
