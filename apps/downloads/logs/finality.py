"""Whose logs of a day are still awaited, so that they can't say yet who was sent nothing."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from apps.downloads.logs.models import LogSource

# CloudFront delivers nearly all of a log within an hour, and the last of it within a day.
LATEST_DELIVERY = timedelta(hours=24)


def awaiting_logs(day: date, organizations: Collection[UUID]) -> set[UUID]:
    """Of these organisations those with a source that hasn't told everything of a UTC day.

    It has when all that lay there was read 24 hours after the day's end, or later.
    """
    ended_at = datetime.combine(day, time(), UTC) + timedelta(days=1)
    behind = {
        source.organization_id
        for source in LogSource.objects.filter(is_active=True)
        if (source.complete_at or source.created_at) < ended_at + LATEST_DELIVERY
    }
    # A source that belongs to nobody counts for everybody.
    return {one for one in organizations if None in behind or one in behind}
