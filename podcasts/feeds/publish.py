"""Rendering a show's feed when something changed, and keeping it where it is answered from."""

import gzip
import hashlib
from uuid import UUID

from django.db import transaction
from django.db.models import FETCH_RAISE
from lxml import etree

from apps.core.clock import now
from podcasts.feeds import cache
from podcasts.feeds.document import build_feed, serialize
from podcasts.models import Episode, FeedDocument, Handle, Show

GZIP_LEVEL = 9  # compressed once, sent millions of times


@transaction.atomic
def refresh_feed(show_id: UUID) -> None:
    """Bring the stored feed up to date; without a real change its date and ETag stay.

    May run twice, and at the same time as itself: the show's row orders the runs. A show that is
    gone or in the trash has no feed any more.
    """
    show = (
        Show.objects.select_for_update(of=("self",))
        .select_related("artwork")
        .filter(pk=show_id)
        .fetch_mode(FETCH_RAISE)
        .first()
    )
    if show is None:
        return
    handles = list(Handle.objects.filter(show=show).values_list("handle", flat=True))
    if show.deleted_at is not None:
        FeedDocument.objects.filter(show=show).delete()
        transaction.on_commit(lambda: cache.forget(handles))
        return
    document = _render(show)
    transaction.on_commit(lambda: cache.put(document, show.handle, handles))


def _render(show: Show) -> FeedDocument:
    episodes = Episode.objects.for_show(show).published(now()).with_media()
    rss = build_feed(show, episodes)
    content_sha256 = hashlib.sha256(etree.tostring(rss)).hexdigest()
    document = FeedDocument.objects.filter(show=show).first()
    if document is not None and document.content_sha256 == content_sha256:
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
        },
    )[0]
