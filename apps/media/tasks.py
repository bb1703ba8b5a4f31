"""Jobs about stored bytes; each makes its service calls and nothing else."""

from celery import shared_task

from apps.media import retention, uploads


@shared_task
def expire_uploads() -> None:
    """Abort uploads that nobody finished and free what they and killed processes occupy."""
    uploads.expire_uploads()
    retention.forget_completed_uploads()
    retention.remove_leftovers()
