"""The public addresses of shows, episodes, feeds, audio and pictures: absolute, and for ever."""

from uuid import UUID

from django.conf import settings

from apps.media.models import IMAGE_EXTENSIONS, Image, Rendition
from podcasts.models import Episode, Show


def feed_url(handle: str) -> str:
    """Where the feed of the show with this handle is."""
    return f"{settings.BASE_URL}/feeds/{handle}.xml"


def show_url(show: Show) -> str:
    """The show's public page."""
    return f"{settings.BASE_URL}/shows/{show.handle}/"


def episode_url(show: Show, episode: Episode) -> str:
    """The episode's public page."""
    return f"{settings.BASE_URL}/shows/{show.handle}/{episode.slug}/"


def episode_api_url(episode_id: UUID) -> str:
    """The episode for programs."""
    return f"{settings.BASE_URL}/api/v1/episodes/{episode_id}/"


def show_api_url(show_id: UUID) -> str:
    """The show for programs."""
    return f"{settings.BASE_URL}/api/v1/shows/{show_id}/"


def media_folder(episode_id: UUID) -> str:
    """What the paths of all names of an episode's audio begin with."""
    return f"/media/{episode_id}/"


def enclosure_url(episode: Episode, rendition: Rendition) -> str:
    """Where the audio is; the name behind the id is for people and players only."""
    return f"{settings.BASE_URL}{media_folder(episode.id)}{episode.slug}.{rendition.extension}"


def chapters_url(episode: Episode) -> str:
    """The episode's chapters as JSON."""
    return f"{settings.BASE_URL}/chapters/{episode.id}.json"


def artwork_url(image: Image, size: str) -> str:
    """A stored size of a picture; another picture has another address."""
    extension = IMAGE_EXTENSIONS[image.variants[size]["content_type"]]
    return f"{settings.BASE_URL}/art/{image.id}/{size}.{extension}"
