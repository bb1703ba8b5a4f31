"""Up to which day the downloads that a CDN served are final."""

from datetime import UTC, date, timedelta
from uuid import UUID

from django.db.models import Q

from apps.downloads.logs.models import LogSource

# CloudFront delivers nearly all of a log within an hour, and the last of it within a day.
LATEST_DELIVERY = timedelta(hours=24)


def first_provisional_day(organization_id: UUID) -> date | None:
    """The first UTC day of which logs may still come; None where no logs are read at all.

    A day is final when every source that may count for the organisation was read to its end
    24 hours after the day's end, or later.
    """
    sources = LogSource.objects.filter(
        Q(organization=None) | Q(organization_id=organization_id), is_active=True
    )
    read_until = [source.complete_at or source.created_at for source in sources]
    if not read_until:
        return None
    return (min(read_until) - LATEST_DELIVERY).astimezone(UTC).date()
