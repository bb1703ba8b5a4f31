"""What is stored of a show's feed: how old, how large, and whether it lags behind."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Length

from podcasts import urls
from podcasts.feeds.cache import entity_tag
from podcasts.models import FeedDocument, Show


@dataclass(frozen=True, slots=True)
class FeedState:
    """None in `etag`, `modified_at` and the sizes: it was not rendered yet."""

    url: str
    etag: str | None  # quoted, as the feed is answered with
    modified_at: datetime | None  # the last real change
    size_bytes: int | None
    gzipped_bytes: int | None
    stale_since: datetime | None  # a change that the feed does not show yet


def feed_state(show: Show) -> FeedState:
    """The state of the feed of a show that the caller was let into; its bytes are not read."""
    document = (
        FeedDocument.objects.filter(show=show)
        .values_list("content_sha256", "modified_at", Length("xml"), Length("gzipped"))
        .first()
    )
    sha256, modified_at, size_bytes, gzipped_bytes = document or (None, None, None, None)
    return FeedState(
        url=urls.feed_url(show.handle),
        etag=f'"{entity_tag(sha256, modified_at)}"' if sha256 and modified_at else None,
        modified_at=modified_at,
        size_bytes=size_bytes,
        gzipped_bytes=gzipped_bytes,
        stale_since=show.feed_stale_since,
    )
