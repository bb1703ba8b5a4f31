"""Jobs of the API."""

from celery import shared_task

from api.base import idempotency


@shared_task
def forget_old_answers() -> None:
    """Kept answers go with their lifetime; may run twice."""
    idempotency.forget_old_answers()
