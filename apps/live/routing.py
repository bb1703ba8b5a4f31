"""Addresses of the live sockets."""

from django.urls import URLPattern, path

from apps.live.consumers import BoardConsumer
from apps.live.episode_consumer import EpisodeConsumer
from apps.live.groups import Kind

websocket_urlpatterns: list[URLPattern] = [
    path("live/organizations/<uuid:id>/", BoardConsumer.as_asgi(kind=Kind.ORGANIZATION)),
    path("live/shows/<uuid:id>/", BoardConsumer.as_asgi(kind=Kind.SHOW)),
    path("live/episodes/<uuid:id>/downloads/", BoardConsumer.as_asgi(kind=Kind.EPISODE)),
    path("live/platform/", BoardConsumer.as_asgi(kind=Kind.PLATFORM)),
    path("live/episodes/<uuid:episode_id>/", EpisodeConsumer.as_asgi()),
]
