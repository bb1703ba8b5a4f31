"""The ASGI entry: data plane, sockets and control plane, told apart by path."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hosting.settings")
django.setup()  # the imports below need the apps

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from apps.live.routing import websocket_urlpatterns  # noqa: E402
from hosting.control_plane import ControlPlane  # noqa: E402
from hosting.data_plane import DataPlane  # noqa: E402
from hosting.front_door import FrontDoor  # noqa: E402
from hosting.live_streams import LiveStreams  # noqa: E402
from hosting.static_files import with_static_files  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": DataPlane(otherwise=LiveStreams(with_static_files(FrontDoor(ControlPlane())))),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)
