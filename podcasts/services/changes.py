"""The one place that tells feeds and players that a show or its episodes changed."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from apps.core.clock import now
from podcasts.cdn import forget_episodes_at_cdn
from podcasts.feeds.publish import refresh_feed_if_stale
from podcasts.media_lookup import forget
from podcasts.models import Show


def announce(show_id: UUID, episode_ids: Iterable[UUID] = ()) -> None:
    """In a change's transaction: once it is committed, render the feed and look files up anew.

    What was saved stays saved when that fails: the note that the feed is stale is part of the
    change, and ``refresh_stale_feeds`` makes good for it.
    """
    Show.objects.filter(pk=show_id).update(feed_stale_since=now())
    announce_audio(episode_ids)
    transaction.on_commit(lambda: refresh_feed_if_stale(show_id), robust=True)


def announce_audio(episode_ids: Iterable[UUID]) -> None:
    """Once the change is committed, look the episodes' files up anew, here and at the CDN."""
    ids = list(episode_ids)
    if ids:
        # First here: the CDN asks anew at once.
        transaction.on_commit(lambda: forget(ids), robust=True)
        forget_episodes_at_cdn(ids)
