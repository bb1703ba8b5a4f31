"""What anybody may see without signing in: living shows and their published episodes."""

import re
from datetime import datetime

from django.db.models import FETCH_RAISE
from django.http import Http404

from podcasts.models import HANDLE_PATTERN, Episode, Show
from podcasts.querysets import EpisodeQuerySet

_HANDLE = re.compile(HANDLE_PATTERN)


def is_handle(text: str) -> bool:
    """Whether any show could have this handle: the database is not asked for anything else."""
    return _HANDLE.fullmatch(text) is not None


def find_show(handle: str) -> Show:
    """The show that has, or once had, this handle; compare ``show.handle`` to redirect for ever."""
    handle = handle.lower()
    if not is_handle(handle):
        raise Http404("There is no such show.")
    show = (
        Show.objects.alive()
        .filter(handles__handle=handle)
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
