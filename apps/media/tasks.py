"""Jobs about stored bytes; each makes its service calls and nothing else."""

import logging
from datetime import timedelta

from celery import shared_task

from apps.core.clock import now
from apps.media import garbage, retention, uploads

logger = logging.getLogger(__name__)

# Audio waits for this worker: what is left over can wait for tomorrow.
GARBAGE_TIME = timedelta(minutes=10)


@shared_task
def expire_uploads() -> None:
    """Abort uploads that nobody finished and free what they and killed processes occupy."""
    uploads.expire_uploads()
    retention.forget_completed_uploads()
    retention.remove_leftovers()


@shared_task
def collect_garbage() -> None:
    """Remove stored files that nothing has used for a while, and say which."""
    collected = garbage.collect_garbage(
        now(), tell=lambda line: logger.info("Removed %s", line), time_limit=GARBAGE_TIME
    )
    logger.info("Garbage was collected: %s", collected)
