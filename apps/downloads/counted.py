"""Downloads one by one, for whoever was let into their show."""

from django.db.models import QuerySet

from apps.downloads.models import Download
from apps.downloads.totals import Scope


def counted_downloads(scope: Scope) -> QuerySet[Download]:
    """All that count; what waits for review does not."""
    return Download.objects.filter(scope.everything, held_address=None)
