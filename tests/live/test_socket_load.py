"""What clients that talk or stall, and many that listen, cost."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import path

from apps.core.announcing import person_group
from apps.core.vitals import tally
from apps.live.boards import current_text
from apps.live.consumers import BoardConsumer
from apps.live.groups import Board, Kind
from apps.live.listener import MAX_CLIENT_MESSAGE_CHARS, MAX_CLIENT_MESSAGES
from apps.live.publish import Publisher
from podcasts.models import Episode
from tests.conftest import People
from tests.live.dialling import (
    PATIENCE,
    SHOW_SOON,
    address,
    dial,
    eventually,
    hear,
    serving,
    wait_for_close,
)
from tests.live.making import batch, download

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]

QUERIES_OF_A_SHOW = 6  # totals, tables and the latest, whoever looks on


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["x" * (MAX_CLIENT_MESSAGE_CHARS + 1)], 1009),
        (["hello"] * (MAX_CLIENT_MESSAGES + 1), 1008),
    ],
)
def test_a_client_that_talks_too_much_is_disconnected(
    people: People, episode: Episode, texts: list[str], code: int
) -> None:
    owner = people.client("owner")

    async def talk() -> int:
        socket = dial(owner, address(episode))
        await socket.connect(PATIENCE)
        for text in texts:
            await socket.send_to(text_data=text)
        return await wait_for_close(socket)

    assert async_to_sync(talk)() == code


def test_a_client_that_says_a_little_is_ignored(people: People, episode: Episode) -> None:
    owner = people.client("owner")

    async def talk() -> str:
        socket = dial(owner, address(episode), SHOW_SOON)
        await socket.connect(PATIENCE)
        await socket.send_to(text_data="not even JSON")
        await socket.send_to(bytes_data=b"\x00")
        await hear(socket)
        kind: str = (await socket.receive_json_from(PATIENCE))["type"]
        await socket.disconnect(timeout=PATIENCE)
        return kind

    assert async_to_sync(talk)() == "heartbeat"


def test_only_the_newest_message_waits_for_a_slow_client(people: People, episode: Episode) -> None:
    """The connection is full from the second message on; forty more arrive meanwhile."""
    made: list[BoardConsumer] = []

    class Kept(BoardConsumer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    routes = URLRouter([path("live/shows/<uuid:id>/", Kept.as_asgi(kind=Kind.SHOW))])

    async def talk() -> list[str]:
        texts: list[str] = []
        has_room, is_full = asyncio.Event(), asyncio.Event()
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def send(event: dict[str, Any]) -> None:
            if event["type"] != "websocket.send":
                return
            if texts:
                is_full.set()
                await has_room.wait()
            texts.append(event["text"])

        scope = {"type": "websocket", "path": address(episode), "user": people.owner}
        await inbox.put({"type": "websocket.connect"})
        running = asyncio.ensure_future(routes(scope, inbox.get, send))
        await eventually(lambda: bool(texts))
        layer: Any = get_channel_layer()
        for number in range(41):
            text = json.dumps({"number": number})
            message = {"type": "board.message", "text": text}
            await layer.group_send(Board.of_show(episode.show_id).group, message)
            if number == 0:
                await asyncio.wait_for(is_full.wait(), PATIENCE)
        await eventually(lambda: made[0]._newest == json.dumps({"number": 40}))
        has_room.set()
        await eventually(lambda: texts[-1] == json.dumps({"number": 40}))
        await inbox.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(running, PATIENCE)
        return texts[1:]

    assert [json.loads(text)["number"] for text in async_to_sync(talk)()] == [0, 40]


@pytest.mark.parametrize("listeners", [1, 12])
def test_a_second_dashboard_on_the_same_show_costs_one_message_to_it(
    people: People, episode: Episode, listeners: int
) -> None:
    """However many listen: the same queries, and one message through Valkey."""
    owner = people.client("owner")
    publisher, sent = quiet_publisher()
    queries: list[int] = []

    def tell() -> None:
        download(episode)
        publisher.note(batch(episode))
        with CaptureQueriesContext(connection) as captured:
            publisher.turn()
        queries.append(len(captured))

    async def talk() -> None:
        sockets = [dial(owner, address(episode)) for _ in range(listeners)]
        for socket in sockets:
            assert (await socket.connect(PATIENCE))[0]
            await hear(socket)
        await sync_to_async(tell)()
        layer: Any = get_channel_layer()
        for board, text in sent:
            await layer.group_send(board.group, {"type": "board.message", "text": text})
        for socket in sockets:
            assert (await hear(socket))["today"] == 1
            assert await socket.receive_nothing()
            await socket.disconnect(timeout=PATIENCE)

    async_to_sync(talk)()

    assert [board for board, _ in sent] == [Board.of_show(episode.show_id)]
    assert queries == [QUERIES_OF_A_SHOW]


@pytest.mark.parametrize("listeners", [2, 12])
def test_a_dashboard_opened_beside_another_asks_only_whether_it_may(
    people: People, episode: Episode, listeners: int
) -> None:
    board = Board.of_show(episode.show_id)
    with CaptureQueriesContext(connection) as first:
        current_text(board)
    with CaptureQueriesContext(connection) as others:
        for _ in range(listeners - 1):
            current_text(board)

    assert len(first) > 0
    assert len(others) == 0


def quiet_publisher() -> tuple[Publisher, list[tuple[Board, str]]]:
    """One whose messages are kept instead of sent."""
    sent: list[tuple[Board, str]] = []
    return Publisher(send=lambda messages: sent.extend(messages.items())), sent


def test_of_a_socket_that_breaks_nothing_is_left(people: People, episode: Episode) -> None:
    """A pulse that went on would keep the board open for nobody."""
    made: list[BoardConsumer] = []
    owner, before = people.client("owner"), tally.sockets

    class Breaking(BoardConsumer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

        async def recheck(self, event: dict[str, str]) -> None:
            raise ConnectionError("the database is away")

    application = serving(Breaking)

    async def talk() -> list[asyncio.Task[None]]:
        socket = dial(owner, address(episode), application)
        await socket.connect(PATIENCE)
        await hear(socket)
        tasks = list(made[0]._tasks)
        assert tally.sockets == before + 1
        layer: Any = get_channel_layer()
        await layer.group_send(person_group(people.owner.pk), {"type": "recheck"})
        with pytest.raises(ConnectionError):
            await socket.receive_output(PATIENCE)
        await eventually(lambda: all(task.done() for task in tasks))
        return tasks

    assert len(async_to_sync(talk)()) == 2
    assert tally.sockets == before
