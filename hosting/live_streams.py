"""Which requests are for a stream of events: in front of the control plane, which has threads."""

import re

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter

from api.live.streams import stream_urlpatterns
from apps.core.streamed import Receive, Scope
from hosting.data_plane import Application, Send

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # as Django's uuid converter has it
_ADDRESS = re.compile(rf"/api/v1/(?:platform|(?:organizations|shows|episodes)/{_ID})/live")


class LiveStreams:
    """Streams are answered on the event loop; everything else is `otherwise`'s."""

    def __init__(self, otherwise: Application) -> None:
        self._otherwise = otherwise
        self._streams: Application = AuthMiddlewareStack(URLRouter(stream_urlpatterns))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = _ADDRESS.fullmatch(scope["path"])
        await (self._streams if is_stream else self._otherwise)(scope, receive, send)
