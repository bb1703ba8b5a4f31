"""What the clock starts for the counting."""

import logging

from celery import shared_task

from apps.core.clock import now
from apps.downloads.day_keys import destroy_expired

logger = logging.getLogger(__name__)


@shared_task
def destroy_day_keys() -> None:
    """Destroy the keys of days that ended 72 h ago; running it twice changes nothing."""
    destroyed = destroy_expired(now=now())
    if destroyed:
        logger.info("Destroyed the listener keys of %d days", destroyed)
