"""The pages a visitor sees: front page, shows, episodes, and how things are done here."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from apps.core.clock import now
from apps.downloads.keys import KEY_BYTES
from apps.downloads.networks import leaves_out_data_centres
from apps.downloads.user_agents.in_use import list_in_use, own_entries
from apps.downloads.window import KEY_LIFETIME
from apps.media.models import Image, Rendition
from podcasts.demo_texts import SHOW_HANDLE
from podcasts.models import Episode, Show
from podcasts.notes import plain_text
from podcasts.public import find_public_episode, find_show, public_episodes
from podcasts.urls import artwork_url, enclosure_url, episode_url, feed_url, show_url

EPISODES_PER_PAGE = 25
_KEY_HOURS = KEY_LIFETIME // timedelta(hours=1)
# Apps that register an address scheme of their own for "subscribe to this feed".
APP_LINKS = (
    ("Apple Podcasts", "podcast://{bare}"),
    ("Overcast", "overcast://x-callback-url/add?url={quoted}"),
    ("Pocket Casts", "pktc://subscribe/{bare}"),
    ("AntennaPod", "https://antennapod.org/deeplink/subscribe?url={quoted}"),
    ("Podcast Addict", "podcastaddict://{bare}"),
    ("Castbox and others", "pcast://{bare}"),
)


@dataclass(frozen=True)
class EpisodeView:
    """An episode with what its pages show of its media."""

    show: Show
    episode: Episode

    @cached_property
    def rendition(self) -> Rendition | None:
        """The file that is served now."""
        return self.episode.audio.rendition if self.episode.audio else None

    @property
    def audio_path(self) -> str:
        """Where this site's player plays from."""
        return urlsplit(enclosure_url(self.episode, self.rendition)).path if self.rendition else ""

    @property
    def page_url(self) -> str:
        """The canonical address of the episode's page."""
        return episode_url(self.show, self.episode)

    @property
    def path(self) -> str:
        """The page's address on this site."""
        return urlsplit(self.page_url).path

    @property
    def summary(self) -> str:
        """The notes' beginning without markup: what stands before their first heading."""
        notes = self.episode.notes_html
        lead = notes.partition("<h")[0].strip() or notes
        return plain_text(lead, limit=240)

    @property
    def number(self) -> str:
        """``Season 2, Episode 14``; empty without numbers."""
        parts = []
        if self.episode.season_number:
            parts.append(f"Season {self.episode.season_number}")
        if self.episode.episode_number:
            parts.append(f"Episode {self.episode.episode_number}")
        return ", ".join(parts)

    @property
    def artwork(self) -> Image:
        """The episode's own picture, else the show's."""
        return self.episode.artwork or self.show.artwork

    @property
    def chapters(self) -> list[dict[str, Any]]:
        """Chapters of the file that is served."""
        return self.episode.audio.chapters if self.episode.audio else []


def _subscribe_links(handle: str) -> list[tuple[str, str]]:
    url = feed_url(handle)
    bare = url.split("://", 1)[1]
    return [(app, link.format(bare=bare, quoted=quote(url, safe=""))) for app, link in APP_LINKS]


def _show_context(show: Show) -> dict[str, Any]:
    return {
        "show": show,
        "feed_url": feed_url(show.handle),
        "show_url": show_url(show),
        "artwork_url": artwork_url(show.artwork, "1400"),
        "subscribe_links": _subscribe_links(show.handle),
    }


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What Longwave is, with the demo to listen to where an installation has one."""
    latest = None
    try:
        show = find_show(SHOW_HANDLE)
    except Http404:
        show = None
    if show:
        episode = public_episodes(show, now()).first()
        latest = EpisodeView(show, episode) if episode else None
    context = {"demo": show, "latest": latest, "trash_days": settings.TRASH_LIFETIME.days}
    return render(request, "public/front.html", context)


@require_safe
def show_page(request: HttpRequest, handle: str) -> HttpResponse:
    """A show: what it is about, how to follow it, what can be heard."""
    show = find_show(handle)
    if show.handle != handle:
        return redirect("public:show", show.handle, permanent=True)
    paginator = Paginator(public_episodes(show, now()), EPISODES_PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "episodes": [EpisodeView(show, episode) for episode in page],
        **_show_context(show),
    }
    return render(request, "public/show.html", context)


@require_safe
def episode_page(request: HttpRequest, handle: str, slug: str) -> HttpResponse:
    """An episode: its player, notes and chapters."""
    show = find_show(handle)
    if show.handle != handle:
        return redirect("public:episode", show.handle, slug, permanent=True)
    view = EpisodeView(show, find_public_episode(show, slug, now()))
    context = {
        "view": view,
        "episode": view.episode,
        "episode_artwork_url": artwork_url(view.artwork, "1400"),
        **_show_context(show),
    }
    return render(request, "public/episode.html", context)


@require_safe
def how_we_count(request: HttpRequest) -> HttpResponse:
    """The counting rules in words, with every choice that the guidelines leave open."""
    context = {
        "ceiling": settings.ADDRESS_CEILING,
        "has_data_centres": leaves_out_data_centres(),
        "key_hours": _KEY_HOURS,
        "list": list_in_use(),
        "own_entries": own_entries(),
    }
    return render(request, "public/how_we_count.html", context)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept about whom, and for how long."""
    context = {
        "trash_days": settings.TRASH_LIFETIME.days,
        "key_hours": _KEY_HOURS,
        "hash_bytes": KEY_BYTES,
    }
    return render(request, "public/privacy.html", context)
