"""Downloads one by one, for whoever was let into their show."""

from uuid import UUID

from django.db.models import QuerySet

from apps.downloads.models import Download
from apps.downloads.totals import Scope


def downloads_within(*, show: UUID, episode: UUID | None = None) -> QuerySet[Download]:
    """As :func:`counted_downloads`, of a show or of one of its episodes."""
    return counted_downloads(Scope(show=show, episode=episode))


def counted_downloads(scope: Scope) -> QuerySet[Download]:
    """All that count; what waits for review does not."""
    return Download.objects.filter(scope.everything, held_address=None)
