"""The feed behind a handle: from a cache when it is warm, else from the database."""

from podcasts.feeds import cache
from podcasts.feeds.publish import refresh_feed
from podcasts.models import FeedDocument, Handle


async def find_feed(handle: str) -> cache.Found | None:
    """The feed, the handle to redirect to, or None when there is (no longer) such a show."""
    return await cache.find(handle, _read)


def _read(handle: str) -> cache.Found | None:
    row = (
        Handle.objects.filter(handle=handle, show__deleted_at=None)
        .values_list("show__handle", "show_id")
        .first()
    )
    if row is None:
        return None
    current, show_id = row
    if current != handle:
        return current
    document = FeedDocument.objects.filter(show_id=show_id).first()
    if document is None:  # a show from before its first rendering
        refresh_feed(show_id)
        document = FeedDocument.objects.filter(show_id=show_id).first()
    return None if document is None else cache.as_cached(document, current)
