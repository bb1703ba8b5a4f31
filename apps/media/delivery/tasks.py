"""Jobs about the CDN; each makes one service call."""

from celery import shared_task

from apps.media.delivery import invalidation


@shared_task
def invalidate_cdn() -> None:
    """Send what the CDN must forget; does nothing when all of it has been taken."""
    invalidation.send_due()
