"""Addresses of the live sockets."""

from django.urls import URLPattern, path

from apps.live.consumers import PlatformConsumer, ShowConsumer
from apps.live.episode_consumer import EpisodeConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("live/shows/<uuid:show_id>/", ShowConsumer.as_asgi()),
    path("live/platform/", PlatformConsumer.as_asgi()),
    path("live/episodes/<uuid:episode_id>/", EpisodeConsumer.as_asgi()),
]
