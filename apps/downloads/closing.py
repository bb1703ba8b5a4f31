"""The end of a day: what is still open of it is settled for good, then its key and rows go."""

import logging
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from apps.downloads import months, open_days
from apps.downloads.locks import BusyError
from apps.downloads.models import DayKey
from apps.downloads.provisional import settle_provisional

logger = logging.getLogger(__name__)

_FORGET_UNFINISHED = """
DELETE FROM downloads_droptally WHERE day = %s AND reason = 'below_threshold'
"""
# Of several versions of a file none may have sufficed; a listener is one, whatever their number.
_TALLY_UNFINISHED = """
INSERT INTO downloads_droptally (day, organization_id, show_id, episode_id, reason, count)
SELECT day, organization_id, show_id, episode_id, 'below_threshold', count(DISTINCT listener_key)
FROM downloads_coverage AS coverage
WHERE day = %s AND download_id IS NULL AND NOT longwave_reaches(served, threshold_bytes)
    AND NOT EXISTS (
        SELECT FROM downloads_coverage AS counted
        WHERE counted.day = coverage.day AND counted.listener_key = coverage.listener_key
            AND counted.episode_id = coverage.episode_id AND counted.download_id IS NOT NULL
    )
GROUP BY day, organization_id, show_id, episode_id
"""


@transaction.atomic
def tally_unfinished(day: date) -> None:
    """Count anew the listeners of an open day whose bytes did not suffice (yet).

    Of a closed day they are known for good: nothing is left to count them from.
    """
    if DayKey.objects.select_for_update().filter(day=day).first() is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_UNFINISHED, [day])
        cursor.execute(_TALLY_UNFINISHED, [day])


def tally_unfinished_lately(*, today: date) -> None:
    """The same for the days of which most still arrives; of others it is done at their close."""
    lately = DayKey.objects.filter(day__range=(today - timedelta(days=1), today))
    for day in lately.order_by("day").values_list("day", flat=True):
        tally_unfinished(day)


def close_expired(*, now: datetime) -> int:
    """Close the days whose time is over, and forget the keys of months; how many days.

    What somebody is at work on for long is left to the next time.
    """
    closed = 0
    for day in open_days.expired(now=now):
        try:
            _close(day)
            closed += 1
        except BusyError as error:
            logger.warning("The day %s can't be closed yet: %s", day, error)
    try:
        months.destroy_expired_keys(now=now)
    except BusyError as error:
        logger.warning("The keys of past months can't be destroyed yet: %s", error)
    return closed


def _close(day: date) -> None:
    """In steps that may be repeated: counters wait for the first one only, for a moment.

    In one transaction the totals would be locked when the tables' turn comes, against the
    counters' order.
    """
    open_days.close(day)
    with transaction.atomic():
        settle_provisional(day)
        tally_unfinished(day)  # also those of whom the logs said too little
    open_days.destroy(day)
    logger.info("The day %s is closed: its key and its hits are gone", day)
