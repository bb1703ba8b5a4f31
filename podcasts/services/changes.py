"""The one place that tells feeds, players and open lists that a show or its episodes changed."""

from collections.abc import Iterable
from uuid import UUID

from apps.core.clock import now
from apps.core.commits import gather_on_commit, is_to_follow, once_on_commit
from apps.core.row_news import rows_group, tell, tell_of_all
from podcasts.cdn import forget_episodes_at_cdn
from podcasts.feeds.publish import refresh_feed_if_stale
from podcasts.media_lookup import forget
from podcasts.models import Episode, Show


def announce(show_id: UUID, episode_ids: Iterable[UUID] = ()) -> None:
    """In a change's transaction: once it is committed, render the feed and look files up anew.

    What was saved stays saved when that fails: the note that the feed is stale is part of the
    change, and ``refresh_stale_feeds`` makes good for it.
    """
    announce_audio(episode_ids)
    key = ("feed", show_id)
    if not is_to_follow(key):
        Show.objects.filter(pk=show_id).update(feed_stale_since=now())
        once_on_commit(key, lambda: refresh_feed_if_stale(show_id))


def announce_audio(episode_ids: Iterable[UUID]) -> None:
    """Once the change is committed, look the episodes' files up anew, here and at the CDN."""
    ids = list(episode_ids)
    if ids:
        # First here: the CDN asks anew at once.
        gather_on_commit("audio", forget, ids)
        forget_episodes_at_cdn(ids)


def tell_lists(episodes: Iterable[Episode]) -> None:
    """Once the change is committed, have whoever has these episodes in a list see it.

    For every change of what a list says of them, drafts and coming audio included; going into the
    trash and out of it are such changes as well.
    """
    for episode in episodes:
        tell(_groups(episode.show_id, episode.organization_id), [episode.pk])


def tell_lists_of_ids(episode_ids: Iterable[UUID]) -> None:
    """As :func:`tell_lists`, for whoever has no rows at hand."""
    ids = list(episode_ids)
    if ids:
        tell_lists(Episode.objects.filter(pk__in=ids).only("pk", "show", "organization"))


def tell_lists_of_show(show: Show) -> None:
    """As :func:`tell_lists`, of all episodes: each of them says something of its show."""
    tell_of_all(_groups(show.pk, show.organization_id))


def _groups(show_id: UUID, organization_id: UUID) -> list[str]:
    return [
        rows_group("episodes", "show", show_id),
        rows_group("episodes", "organization", organization_id),
        rows_group("episodes"),
    ]
