"""The one place that tells feeds and players that a show or its episodes changed."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from podcasts.feeds.publish import refresh_feed
from podcasts.media_lookup import forget


def announce(show_id: UUID, episode_ids: Iterable[UUID] = ()) -> None:
    """Once the change is committed: render the feed anew, look the episodes' files up anew."""
    announce_audio(episode_ids)
    transaction.on_commit(lambda: refresh_feed(show_id))


def announce_audio(episode_ids: Iterable[UUID]) -> None:
    """Once the change is committed, look the episodes' files up anew."""
    ids = list(episode_ids)
    if ids:
        transaction.on_commit(lambda: forget(ids))
