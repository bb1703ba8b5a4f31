"""The feed behind a handle: from a cache when it is warm, else from the database."""

import logging
from uuid import UUID

from podcasts.feeds import cache
from podcasts.feeds.edition import current_edition
from podcasts.feeds.publish import refresh_feed
from podcasts.models import FeedDocument, Handle

logger = logging.getLogger(__name__)


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
    document = _document(show_id)
    return None if document is None else cache.as_cached(document, current)


def _document(show_id: UUID) -> FeedDocument | None:
    """The stored feed; rendered first where that was never done, or by another edition."""
    stored = FeedDocument.objects.filter(show_id=show_id)
    document = stored.first()
    if document is not None and document.edition == current_edition():
        return document
    try:
        refresh_feed(show_id)
    except Exception:
        if document is None:
            raise
        logger.exception("The feed of show %s could not be rendered anew", show_id)
        return document
    return stored.first()
