"""The dashboards' sockets: who may listen, what they hear, and when they have to go."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync, sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from apps.accounts.access import require_role
from apps.accounts.actors import Actor
from apps.accounts.models import Membership, User
from apps.accounts.roles import Role
from apps.accounts.services import change_role, deactivate_person, remove_member
from apps.live.boards import current_text
from apps.live.consumers import BoardConsumer
from apps.live.groups import PLATFORM, Board, Kind, open_boards
from apps.live.listener import MAX_CLIENT_MESSAGE_CHARS, MAX_CLIENT_MESSAGES
from apps.live.publish import Publisher, publishing
from apps.live.routing import websocket_urlpatterns
from podcasts.access import get_show
from podcasts.models import Episode
from podcasts.services.trash import delete_episode, delete_show
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.live.making import batch, download

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]
PATIENCE = 10  # seconds for what takes milliseconds, on a machine that does much else
QUICK = 0.02
QUERIES_OF_A_SHOW = 8  # totals, tables and the latest, whoever looks on
APPLICATION = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


@pytest.fixture
def episode(people: People) -> Episode:
    """A published episode of the organisation."""
    return EpisodeFactory(show__organization=people.organization)


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


WHO = ["owner", "admin", "editor", "analyst", "staff", "stranger", "anonymous"]
SHOW_ANSWERS = [None, None, None, None, 4404, 4404, 4401]
PLATFORM_ANSWERS = [4404, 4404, 4404, 4404, None, 4404, 4401]


@pytest.mark.parametrize(("who", "answer"), list(zip(WHO, SHOW_ANSWERS, strict=True)))
def test_only_members_hear_a_show(
    people: People, episode: Episode, who: str, answer: int | None
) -> None:
    assert knock(people.client(who), address(episode)) == answer


@pytest.mark.parametrize(("who", "answer"), list(zip(WHO, PLATFORM_ANSWERS, strict=True)))
def test_only_staff_hear_the_platform(people: People, who: str, answer: int | None) -> None:
    assert knock(people.client(who), "/live/platform/") == answer


def test_too_weak_a_role_is_told_so(people: People, episode: Episode) -> None:
    class AdminsOnly(BoardConsumer):
        def may_listen(self, actor: Actor) -> None:
            get_show(actor, episode.show_id, Role.ADMIN)

    routes = [path("live/shows/<uuid:id>/", AdminsOnly.as_asgi(kind=Kind.SHOW))]
    application = AuthMiddlewareStack(URLRouter(routes))

    assert knock(people.client("analyst"), address(episode), application) == 4403
    assert knock(people.client("admin"), address(episode), application) is None


def test_a_show_in_the_trash_has_no_socket(people: People, episode: Episode) -> None:
    episode.show.deleted_at = episode.created_at
    episode.show.save(update_fields=["deleted_at"])

    assert knock(people.client("owner"), address(episode)) == 4404


@pytest.fixture
def noon() -> Iterator[None]:
    """Time stands still, so that two answers can be compared whole."""
    with time_machine.travel(datetime(2026, 10, 14, 12, tzinfo=UTC), tick=False):
        yield


@pytest.mark.usefixtures("noon")
def test_socket_and_polling_say_the_same_of_a_show(people: People, episode: Episode) -> None:
    for country in ("DE", "", "FR"):
        download(episode, country=country)
    owner = people.client("owner")

    polled = owner.get(f"/api/v1/shows/{episode.show_id}/live/state/")

    assert polled.headers["Cache-Control"] == "private, no-cache"
    assert polled.json() == open_and_hear(owner, address(episode))
    assert polled.json()["episodes"] == {str(episode.id): 3}
    assert len({row["id"] for row in polled.json()["latest"]}) == 3


@pytest.mark.usefixtures("noon")
def test_socket_and_polling_say_the_same_of_the_platform(people: People, episode: Episode) -> None:
    download(episode)
    download(EpisodeFactory(), app="")
    staff = people.client("staff")

    polled = staff.get("/api/v1/platform/live/state/").json()

    assert polled == open_and_hear(staff, "/live/platform/")
    assert polled["today"] == 2
    assert {app["name"] for app in polled["apps"]} == {"Overcast", "Unknown app"}
    assert {show["title"] for show in polled["shows"]} == {row["show"] for row in polled["latest"]}


def test_an_open_socket_registers_its_board(people: People, episode: Episode) -> None:
    open_and_hear(people.client("owner"), address(episode))
    open_and_hear(people.client("staff"), "/live/platform/")

    assert open_boards() == {Board.of_show(episode.show_id), PLATFORM}


def test_a_download_reaches_an_open_dashboard_through_the_publisher(
    people: People, episode: Episode
) -> None:
    owner = people.client("owner")

    async def talk() -> dict[str, Any]:
        socket = dial(owner, address(episode))
        await socket.connect(PATIENCE)
        assert (await hear(socket))["today"] == 0
        await sync_to_async(download)(episode, app="AntennaPod", country="FR")
        publisher.note(batch(episode))
        message = await hear(socket)
        while message["today"] == 0:
            message = await hear(socket)
        await socket.disconnect(timeout=PATIENCE)
        return message

    with publishing() as publisher:
        message = async_to_sync(talk)()

    assert [row["app"] for row in message["latest"]] == ["AntennaPod"]
    assert not [thread for thread in threading.enumerate() if thread.name == "live"]


def watched(kind: Kind, route: str) -> Any:
    """The application with a pulse that beats many times a second."""
    consumer = BoardConsumer.as_asgi(kind=kind, pulse_seconds=QUICK)
    return AuthMiddlewareStack(URLRouter([path(route, consumer)]))


SHOW_SOON = watched(Kind.SHOW, "live/shows/<uuid:id>/")
PLATFORM_SOON = watched(Kind.PLATFORM, "live/platform/")


def leave(people: People) -> None:
    Membership.objects.filter(user=people.editor).delete()


def sign_out(client: Client) -> None:
    client.logout()


def lose_staff(people: People) -> None:
    User.objects.filter(pk=people.staff.pk).update(is_staff=False)


def change_password(user: User) -> None:
    user.set_password("another horse")
    user.save()


@pytest.mark.parametrize(
    ("who", "happens", "code"),
    [
        ("editor", lambda people, client: leave(people), 4404),
        ("editor", lambda people, client: sign_out(client), 4401),
        ("editor", lambda people, client: change_password(people.editor), 4401),
        ("staff", lambda people, client: lose_staff(people), 4404),
    ],
    ids=["membership ended", "signed out", "new password", "no longer staff"],
)
def test_whoever_may_not_listen_any_more_is_disconnected(
    people: People,
    episode: Episode,
    who: str,
    happens: Callable[[People, Client], None],
    code: int,
) -> None:
    client = people.client(who)
    target, application = (
        ("/live/platform/", PLATFORM_SOON) if who == "staff" else (address(episode), SHOW_SOON)
    )

    async def talk() -> int:
        socket = dial(client, target, application)
        await socket.connect(PATIENCE)
        heartbeat = await socket.receive_json_from(PATIENCE)
        while heartbeat["type"] != "heartbeat":
            heartbeat = await socket.receive_json_from(PATIENCE)
        await sync_to_async(happens)(people, client)
        return await wait_for_close(socket)

    assert require_role(people.editor, people.organization.id).role == Role.EDITOR
    assert async_to_sync(talk)() == code


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


def change_own_role(people: People, episode: Episode) -> None:
    change_role(actor=member(people.owner), membership=member(people.editor), role=Role.ANALYST)


def throw_out(people: People, episode: Episode) -> None:
    remove_member(actor=member(people.owner), membership=member(people.editor))


def deactivate(people: People, episode: Episode) -> None:
    deactivate_person(user=people.editor)


def trash_the_show(people: People, episode: Episode) -> None:
    delete_show(show=episode.show)


def trash_the_episode(people: People, episode: Episode) -> None:
    delete_episode(episode=episode)


def member(user: User) -> Membership:
    return Membership.objects.get(user=user)


@pytest.mark.parametrize(
    ("happens", "of_show", "of_episode", "of_organization"),
    [
        (throw_out, 4404, 4404, 4404),
        (deactivate, 4401, 4401, 4401),
        (trash_the_show, 4404, 4404, None),
        (trash_the_episode, None, 4404, None),
        (change_own_role, None, None, None),
    ],
)
def test_a_change_of_rights_ends_sockets_at_once(
    people: People,
    episode: Episode,
    happens: Callable[[People, Episode], None],
    of_show: int | None,
    of_episode: int | None,
    of_organization: int | None,
) -> None:
    """Long before the pulse, and only those of whoever lost something; None stays open."""
    editor, owner = people.client("editor"), people.client("owner")
    targets = [
        address(episode),
        f"/live/episodes/{episode.id}/downloads/",
        f"/live/organizations/{episode.organization_id}/",
    ]

    async def fate(socket: WebsocketCommunicator, board: Board) -> int | None:
        """What it was closed with; None when it hears what comes after the change."""
        layer: Any = get_channel_layer()
        message = {"type": "board.message", "text": json.dumps({"type": "after"})}
        while True:
            await layer.group_send(board.group, message)
            event = await socket.receive_output(PATIENCE)
            if event["type"] == "websocket.close":
                return int(event["code"])
            if json.loads(event["text"])["type"] == "after" and checked.is_set():
                return None

    checked = asyncio.Event()

    async def talk() -> list[int | None]:
        sockets = [dial(editor, target) for target in targets]
        others = dial(owner, targets[2])
        for socket in (*sockets, others):
            assert (await socket.connect(PATIENCE))[0]
            await hear(socket)
        await sync_to_async(happens)(people, episode)
        await eventually(lambda: len(checks) >= expected_checks)
        checked.set()
        boards = [
            Board.of_show(episode.show_id),
            Board.of_episode(episode.id),
            Board.of_organization(episode.organization_id),
        ]
        fates = [await fate(socket, board) for socket, board in zip(sockets, boards, strict=True)]
        assert await fate(others, boards[2]) is None
        for socket in (*sockets, others):
            await socket.disconnect(timeout=PATIENCE)
        return fates

    checks: list[object] = []
    expected_checks = len(targets)
    original = BoardConsumer._check_again

    async def check_and_note(consumer: BoardConsumer) -> bool:
        found = await original(consumer)
        checks.append(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BoardConsumer, "_check_again", check_and_note)
        assert async_to_sync(talk)() == [of_show, of_episode, of_organization]


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


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds, or fail."""

    async def hold() -> None:
        while not condition():  # noqa: ASYNC110 - other tasks' attributes have no event
            await asyncio.sleep(0.005)

    waiting: Awaitable[None] = hold()
    await asyncio.wait_for(waiting, PATIENCE)
