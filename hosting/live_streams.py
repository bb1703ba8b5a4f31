"""Which requests are for a stream of events: in front of the control plane, which has threads."""

import re

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.http import HttpRequest

from api.live.list_stream import PLATFORM_LISTS
from api.live.streams import list_urlpatterns, stream_urlpatterns
from apps.core.streamed import Receive, Scope
from hosting.data_plane import Application, Send

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # as Django's uuid converter has it
_ADDRESS = re.compile(
    rf"/api/v1/(?:platform/live(?:/(?:{'|'.join(PLATFORM_LISTS)}))?"
    rf"|(?:organizations|shows|episodes)/{_ID}/live)"
)
_EVENTS = "text/event-stream"


class LiveStreams:
    """Streams are answered on the event loop; everything else is `otherwise`'s."""

    def __init__(self, otherwise: Application) -> None:
        self._otherwise = otherwise
        self._streams: Application = AuthMiddlewareStack(
            URLRouter([*stream_urlpatterns, *list_urlpatterns])
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = _ADDRESS.fullmatch(scope["path"]) or _is_stream_of_list(scope)
        await (self._streams if is_stream else self._otherwise)(scope, receive, send)


def _is_stream_of_list(scope: Scope) -> bool:
    """At a list's address: whether events are what the client would rather have."""
    if scope["method"] not in ("GET", "HEAD") or not scope["path"].startswith("/api/v1/"):
        return False
    accept = ", ".join(
        value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"
    )
    if not prefers_events(accept):
        return False
    address = scope["path"].removeprefix("/")
    return any(pattern.resolve(address) for pattern in list_urlpatterns)


def prefers_events(accept: str) -> bool:
    """After RFC 9110, 12.5.1; who likes both equally gets the list."""
    if _EVENTS not in accept.lower():
        return False
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = accept
    return request.get_preferred_type(["application/json", _EVENTS]) == _EVENTS
