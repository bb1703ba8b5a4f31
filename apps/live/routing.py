"""Addresses of the live sockets."""

from django.urls import URLPattern, path

from apps.live.consumers import PlatformConsumer, ShowConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("live/shows/<uuid:show_id>/", ShowConsumer.as_asgi()),
    path("live/platform/", PlatformConsumer.as_asgi()),
]
