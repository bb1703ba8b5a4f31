"""Every socket, asked as every kind of person."""

from collections.abc import Callable
from typing import Any

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from apps.live.routing import websocket_urlpatterns
from tests.access.rows import PERSONAS, Row, World

SOCKETS: dict[str, tuple[Callable[[World], str], str]] = {
    "live/organizations/<uuid:id>/": (
        lambda w: f"/live/organizations/{w.people.organization.id}/",
        "analyst",
    ),
    "live/shows/<uuid:id>/": (lambda w: f"/live/shows/{w.show.id}/", "analyst"),
    "live/episodes/<uuid:id>/downloads/": (
        lambda w: f"/live/episodes/{w.draft.id}/downloads/",
        "analyst",
    ),
    "live/platform/": (lambda w: "/live/platform/", "staff"),
    "live/episodes/<uuid:episode_id>/": (lambda w: f"/live/episodes/{w.draft.id}/", "analyst"),
}


def test_every_socket_stands_in_the_matrix() -> None:
    assert {str(pattern.pattern) for pattern in websocket_urlpatterns} == set(SOCKETS)


async def is_let_in(path: str, user: Any) -> bool:
    communicator = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)
    communicator.scope["user"] = user
    is_connected, _ = await communicator.connect(timeout=5)
    await communicator.disconnect()
    return bool(is_connected)


@pytest.mark.parametrize("pattern", SOCKETS)
@pytest.mark.django_db(transaction=True)
async def test_sockets_let_in_whom_the_matrix_says(pattern: str, world: World) -> None:
    path, least = SOCKETS[pattern]
    row = Row("get", path, least)
    for persona in PERSONAS:
        user = AnonymousUser() if persona == "anonymous" else getattr(world.people, persona)
        expected = row.expected(persona) == "in"
        assert await is_let_in(path(world), user) is expected, persona
