"""The ASGI entry: data plane, sockets and control plane, told apart by path."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hosting.settings")
control_plane = get_asgi_application()  # first: it loads the apps that the imports below need

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from apps.live.routing import websocket_urlpatterns  # noqa: E402
from hosting.data_plane import DataPlane  # noqa: E402
from hosting.front_door import FrontDoor  # noqa: E402
from hosting.static_files import with_static_files  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": DataPlane(otherwise=with_static_files(FrontDoor(control_plane))),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)
