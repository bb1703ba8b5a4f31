"""What anybody may see without signing in: living shows and their published episodes."""

from datetime import datetime

from django.db.models import FETCH_RAISE
from django.http import Http404

from podcasts.models import Episode, Show
from podcasts.querysets import EpisodeQuerySet


def find_show(handle: str) -> Show:
    """The show that has, or once had, this handle; compare ``show.handle`` to redirect for ever."""
    show = (
        Show.objects.alive()
        .filter(handles__handle=handle.lower())
        .select_related("artwork")
        .fetch_mode(FETCH_RAISE)
        .first()
    )
    if show is None:
        raise Http404("There is no such show.")
    return show


def public_episodes(show: Show, at: datetime) -> EpisodeQuerySet:
    """What can be heard of a show at this moment, newest first, media included.

    A serial show is told in order (Apple: itunes:type), so it starts with its first episode.
    """
    episodes = Episode.objects.for_show(show).published(at).with_media()
    return episodes.order_by("published_at", "id") if show.type == "serial" else episodes


def find_public_episode(show: Show, slug: str, at: datetime) -> Episode:
    """One published episode of a show; Http404 for anything else."""
    episode = public_episodes(show, at).filter(slug=slug).first()
    if episode is None:
        raise Http404("There is no such episode.")
    return episode
