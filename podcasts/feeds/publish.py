"""Rendering a show's feed when something changed, and keeping it where it is answered from."""

import gzip
import hashlib
import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import FETCH_RAISE
from lxml import etree

from apps.core.clock import now
from podcasts.feeds import cache
from podcasts.feeds.document import build_feed, serialize
from podcasts.feeds.edition import current_edition
from podcasts.models import Episode, FeedDocument, Handle, Show

logger = logging.getLogger(__name__)

GZIP_LEVEL = 9  # compressed once, sent millions of times
# Whoever made the change renders the feed at once: only after this has that gone wrong.
STALE_AFTER = timedelta(seconds=15)


@transaction.atomic
def refresh_feed(show_id: UUID) -> None:
    """Bring the stored feed up to date; without a real change its date and ETag stay.

    May run twice, and at the same time as itself: the show's row orders the runs. A show that is
    gone or in the trash has no feed any more.
    """
    show = (
        Show.objects.select_for_update(of=("self",), no_key=True)
        .select_related("artwork")
        .filter(pk=show_id)
        .fetch_mode(FETCH_RAISE)
        .first()
    )
    if show is None:
        return
    Show.objects.filter(pk=show_id, feed_stale_since__isnull=False).update(feed_stale_since=None)
    handles = list(Handle.objects.filter(show=show).values_list("handle", flat=True))
    if show.deleted_at is not None:
        FeedDocument.objects.filter(show=show).delete()
        transaction.on_commit(lambda: cache.forget(handles), robust=True)
        return
    document = _render(show)
    transaction.on_commit(lambda: _keep(document, show.handle, handles), robust=True)


def refresh_feed_if_stale(show_id: UUID) -> None:
    """As :func:`refresh_feed`, unless that was done since the last change.

    A hundred changes in one transaction then render the feed once. Who took the note away has
    rendered afterwards, in the same transaction.
    """
    if Show.objects.filter(pk=show_id, feed_stale_since__isnull=False).exists():
        refresh_feed(show_id)


def _keep(document: FeedDocument, handle: str, handles: list[str]) -> None:
    """What is committed in one order may get here in another: the last one must not lose."""
    cache.put(document, handle, handles)
    stored = FeedDocument.objects.filter(show_id=document.show_id)
    if stored.values_list("content_sha256", flat=True).first() != document.content_sha256:
        cache.forget(handles)


def refresh_stale_feeds() -> int:
    """Render what could not be rendered when it changed; returns how many feeds that were.

    May run twice. One feed that can't be rendered doesn't stop the others.
    """
    stale = Show.objects.filter(feed_stale_since__lt=now() - STALE_AFTER)
    count = 0
    for show_id in stale.order_by("feed_stale_since").values_list("pk", flat=True):
        try:
            refresh_feed(show_id)
        except Exception:
            logger.exception("The feed of show %s could not be rendered", show_id)
        else:
            count += 1
    return count


def _render(show: Show) -> FeedDocument:
    episodes = Episode.objects.for_show(show).published(now()).with_media()
    rss = build_feed(show, episodes)
    content_sha256 = hashlib.sha256(etree.tostring(rss)).hexdigest()
    document, edition = FeedDocument.objects.filter(show=show).first(), current_edition()
    if document is not None and document.content_sha256 == content_sha256:
        if document.edition != edition:
            FeedDocument.objects.filter(show=show).update(edition=edition)
        return document
    modified_at = now().replace(microsecond=0)
    xml = serialize(rss, built_at=modified_at)
    return FeedDocument.objects.update_or_create(
        show=show,
        defaults={
            "xml": xml,
            # Without a time in its header, equal feeds are equal files.
            "gzipped": gzip.compress(xml, compresslevel=GZIP_LEVEL, mtime=0),
            "content_sha256": content_sha256,
            "modified_at": modified_at,
            "edition": edition,
        },
    )[0]
