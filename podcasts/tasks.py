"""Jobs about shows and episodes that the clock starts; each makes one service call."""

from celery import shared_task

from podcasts.feeds import publish
from podcasts.services import publishing, trash


@shared_task
def publish_due() -> None:
    """Publish what is scheduled for a moment that has come."""
    publishing.publish_due_episodes()


@shared_task
def refresh_stale_feeds() -> None:
    """Render the feeds that could not be rendered when something in them changed."""
    publish.refresh_stale_feeds()


@shared_task
def empty_trash() -> None:
    """Delete for good what has been in the trash for too long."""
    trash.empty_trash()
