"""Downloads known from requests only, until the logs of whoever sent the bytes are in.

A listener who was sent on to a bucket or a CDN counts at once, provisionally. The bytes in the
logs confirm it. Where a show's logs of that day were read, what they don't confirm was none. Where
some of them are still missing when the day is closed, nobody can tell: it stays, and stays marked.
"""

from collections.abc import Callable, Collection
from datetime import date
from uuid import UUID

from django.db import connection, transaction

from apps.downloads import listeners, rollups, shadow
from apps.downloads.models import Coverage, Download
from apps.downloads.revision import recounted

# Locked, lest bytes that arrive meanwhile confirm what is taken back; in the counter's order.
_UNCONFIRMED = """
SELECT coverage.download_id, coverage.show_id, coverage.organization_id
FROM downloads_coverage AS coverage
WHERE coverage.day = %s AND coverage.is_provisional AND EXISTS (
    SELECT FROM downloads_loggedday AS logged
    WHERE logged.day = coverage.day AND logged.show_id = coverage.show_id
)
ORDER BY coverage.day, coverage.episode_id, coverage.listener_key, coverage.rendition_id
FOR UPDATE OF coverage
"""

type AwaitingLogs = Callable[[date, Collection[UUID]], set[UUID]]
"""Of these organisations those of which not all logs of a day were read."""

_awaiting: list[AwaitingLogs] = []


def heed(awaiting: AwaitingLogs) -> None:
    """To be called at the start by whoever reads logs: the counter doesn't know them."""
    _awaiting.append(awaiting)


@transaction.atomic
def settle_provisional(day: date) -> int:
    """Take back what the day's logs did not confirm; how many downloads that were."""
    shadow.wait_for_recounts()
    with connection.cursor() as cursor:
        cursor.execute(_UNCONFIRMED, [day])
        rows = cursor.fetchall()
    organizations = {organization for _, _, organization in rows}
    spared = {one for awaiting in _awaiting for one in awaiting(day, organizations)}
    rows = [row for row in rows if row[2] not in spared]
    numbers = [number for number, _, _ in rows]
    if numbers:
        rollups.take_back(numbers)
        Download.objects.filter(id__in=numbers).delete()
        Coverage.objects.filter(day=day, download_id__in=numbers).update(
            download_id=None, attributed_at=None, is_provisional=False
        )
        listeners.recount(day, {show for _, show, _ in rows})
        transaction.on_commit(recounted, robust=True)
    return len(numbers)
