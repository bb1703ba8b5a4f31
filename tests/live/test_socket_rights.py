"""Sockets whose owner loses a right: they end, at once or at the next pulse."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.test import Client

from apps.accounts.access import require_role
from apps.accounts.actors import Actor
from apps.accounts.models import Membership, User
from apps.accounts.roles import Role
from apps.accounts.services import change_role, deactivate_person, remove_member
from apps.live.consumers import BoardConsumer
from apps.live.groups import Board
from podcasts.models import Episode
from podcasts.services.trash import delete_episode, delete_show
from tests.conftest import People
from tests.live.dialling import (
    PATIENCE,
    PLATFORM_SOON,
    SHOW_SOON,
    address,
    dial,
    eventually,
    hear,
    serving,
    wait_for_close,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]


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


def member(user: User) -> Membership:
    return Membership.objects.get(user=user)


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


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows with each time that an open socket was asked again whether it may listen."""
    found: list[bool] = []
    original = BoardConsumer._check_again

    async def check_and_note(consumer: BoardConsumer, **options: Any) -> bool:
        found.append(await original(consumer, **options))
        return found[-1]

    monkeypatch.setattr(BoardConsumer, "_check_again", check_and_note)
    return found


async def fate(socket: WebsocketCommunicator, board: Board) -> int | None:
    """What it was closed with; None when it hears what is said from now on."""
    layer: Any = get_channel_layer()
    text = json.dumps({"type": "after"})
    await layer.group_send(board.group, {"type": "board.message", "text": text})
    while True:
        event = await socket.receive_output(PATIENCE)
        if event["type"] == "websocket.close":
            return int(event["code"])
        if json.loads(event["text"])["type"] == "after":
            return None


@pytest.mark.parametrize(
    ("happens", "codes"),
    [
        (throw_out, [4404, 4404, 4404]),
        (deactivate, [4401, 4401, 4401]),
        (trash_the_show, [4404, 4404, None]),
        (trash_the_episode, [None, 4404, None]),
        (change_own_role, [None, None, None]),
    ],
)
def test_a_change_of_rights_ends_sockets_at_once(
    people: People,
    episode: Episode,
    checks: list[bool],
    happens: Callable[[People, Episode], None],
    codes: list[int | None],
) -> None:
    """Those of the show, the episode and the organisation, long before the pulse; None stays open.

    Whoever lost nothing stays in any case.
    """
    editor, owner = people.client("editor"), people.client("owner")
    boards = {
        address(episode): Board.of_show(episode.show_id),
        f"/live/episodes/{episode.id}/downloads/": Board.of_episode(episode.id),
        f"/live/organizations/{episode.organization_id}/": Board.of_organization(
            episode.organization_id
        ),
    }

    async def talk() -> list[int | None]:
        sockets = [dial(editor, target) for target in boards]
        sockets.append(dial(owner, list(boards)[-1]))
        for socket in sockets:
            assert (await socket.connect(PATIENCE))[0]
            await hear(socket)
        await sync_to_async(happens)(people, episode)
        await eventually(lambda: len(checks) >= len(boards))
        whose = [*boards.values(), list(boards.values())[-1]]
        fates = [await fate(socket, board) for socket, board in zip(sockets, whose, strict=True)]
        for socket in sockets:
            await socket.disconnect(timeout=PATIENCE)
        return fates

    assert async_to_sync(talk)() == [*codes, None]


def test_whoever_loses_a_right_while_coming_in_is_sent_away(
    people: People, episode: Episode
) -> None:
    """After the question whether they may, and before the first message."""

    class Late(BoardConsumer):
        def may_listen(self, actor: Actor) -> None:
            super().may_listen(actor)
            throw_out(people, episode)

    application = serving(Late)
    editor = people.client("editor")

    async def talk() -> int:
        socket = dial(editor, address(episode), application)
        await socket.connect(PATIENCE)
        return await wait_for_close(socket)

    assert async_to_sync(talk)() == 4404


def test_nothing_follows_the_end_of_a_socket(people: People, episode: Episode) -> None:
    """A message that comes between the close and the client's answer to it is not sent."""
    made: list[BoardConsumer] = []
    owner = people.client("owner")

    class Kept(BoardConsumer):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    application = serving(Kept)

    async def talk() -> bool:
        socket = dial(owner, address(episode), application)
        await socket.connect(PATIENCE)
        await hear(socket)
        await made[0].close(4404)
        made[0].tell("more")
        assert await wait_for_close(socket) == 4404
        return bool(await socket.receive_nothing())

    assert async_to_sync(talk)()
