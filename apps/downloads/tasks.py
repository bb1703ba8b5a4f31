"""What the clock starts for the counting."""

import logging

from celery import shared_task

from apps.core.clock import now
from apps.downloads import closing, first_days, milestones, open_days
from apps.downloads.locks import BusyError

logger = logging.getLogger(__name__)


@shared_task
def open_days_ahead() -> None:
    """Make the keys and tables of the days to come; running it twice changes nothing."""
    try:
        open_days.open_ahead(today=now().date())
    except BusyError as error:  # there are days left, and this comes again before they are used
        logger.warning("The days to come can't be opened yet: %s", error)


@shared_task
def close_days() -> None:
    """Settle days that ended 72 h ago and destroy their keys; twice changes nothing."""
    closing.close_expired(now=now())


@shared_task
def tally_unfinished() -> None:
    """Count the listeners whose bytes did not suffice; twice changes nothing."""
    closing.tally_unfinished_lately(today=now().date())


@shared_task
def store_first_days() -> None:
    """Keep what episodes had in first days that are closed; twice changes nothing."""
    first_days.store_closed(now=now())


@shared_task
def find_milestones() -> None:
    """Tell webhooks which round numbers downloads have reached; each once."""
    milestones.find_milestones()
