"""A client of the dashboards' sockets, in this process."""

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.urls import path

from apps.live.consumers import BoardConsumer
from apps.live.groups import Kind
from apps.live.routing import websocket_urlpatterns
from podcasts.models import Episode

PATIENCE = 10  # seconds for what takes milliseconds, on a machine that does much else
QUICK = 0.02  # of a pulse that beats many times a second
APPLICATION = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


def address(episode: Episode) -> str:
    return f"/live/shows/{episode.show_id}/"


def dial(client: Client, target: str, application: Any = APPLICATION) -> WebsocketCommunicator:
    """A socket with the browser's cookies."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return WebsocketCommunicator(application, target, [(b"cookie", cookies.encode())])


async def hear(socket: WebsocketCommunicator) -> dict[str, Any]:
    """The next message that is not the heartbeat."""
    while True:
        message: dict[str, Any] = await socket.receive_json_from(PATIENCE)
        if message["type"] != "heartbeat":
            return message


async def wait_for_close(socket: WebsocketCommunicator) -> int:
    """Whatever comes before, the code that the socket is closed with."""
    while True:
        event = await socket.receive_output(PATIENCE)
        if event["type"] == "websocket.close":
            return int(event["code"])


def open_and_hear(client: Client, target: str) -> dict[str, Any]:
    """What a socket says first."""

    async def talk() -> dict[str, Any]:
        socket = dial(client, target)
        assert (await socket.connect(PATIENCE))[0]
        message = await hear(socket)
        await socket.disconnect(timeout=PATIENCE)
        return message

    return async_to_sync(talk)()


def knock(client: Client, target: str, application: Any = APPLICATION) -> int | None:
    """The code of a refusal, None when let in."""

    async def talk() -> int | None:
        socket = dial(client, target, application)
        is_open, code = await socket.connect(PATIENCE)
        if is_open:
            await socket.disconnect(timeout=PATIENCE)
        return None if is_open else code

    return async_to_sync(talk)()


def serving(
    consumer: type[BoardConsumer],
    *,
    kind: Kind = Kind.SHOW,
    route: str = "live/shows/<uuid:id>/",
    **options: Any,
) -> Any:
    """The application with a consumer, or a pace, of the test's own."""
    routes = [path(route, consumer.as_asgi(kind=kind, **options))]
    return AuthMiddlewareStack(URLRouter(routes))


SHOW_SOON = serving(BoardConsumer, pulse_seconds=QUICK)
PLATFORM_SOON = serving(
    BoardConsumer, kind=Kind.PLATFORM, route="live/platform/", pulse_seconds=QUICK
)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds, or fail."""

    async def hold() -> None:
        while not condition():  # noqa: ASYNC110 - other tasks' attributes have no event
            await asyncio.sleep(0.005)

    await asyncio.wait_for(hold(), PATIENCE)
