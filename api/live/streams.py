"""Boards and lists as server-sent events: their addresses."""

from django.urls import URLPattern, path

from api.live.event_stream import EventStream
from api.live.list_stream import PLATFORM_LISTS, ListStream, PlatformListStream
from api.live.lists import LISTS
from apps.live.boards import BoardListening
from apps.live.groups import Kind


class BoardStream(BoardListening, EventStream):
    """A board, for scripts and for browsers whose sockets don't get through.

    Each event holds its whole state, so that whoever comes back needs nothing of what they missed,
    and ``Last-Event-ID`` says nothing new.
    """


stream_urlpatterns: list[URLPattern] = [
    path("api/v1/organizations/<uuid:id>/live", BoardStream.as_asgi(kind=Kind.ORGANIZATION)),
    path("api/v1/shows/<uuid:id>/live", BoardStream.as_asgi(kind=Kind.SHOW)),
    path("api/v1/episodes/<uuid:id>/live", BoardStream.as_asgi(kind=Kind.EPISODE)),
    path("api/v1/platform/live", BoardStream.as_asgi(kind=Kind.PLATFORM)),
    *(
        path(f"api/v1/platform/live/{kind}", PlatformListStream.as_asgi(kind=kind))
        for kind in PLATFORM_LISTS
    ),
]

# The same addresses are lists, for whoever doesn't prefer events.
list_urlpatterns: list[URLPattern] = [
    path(f"api/v1/{address}", ListStream.as_asgi(source=source))
    for address, source in LISTS.items()
]
