"""Boards as server-sent events: who gets them, in which form, and until when."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.test import Client
from django.urls import path

from api.live.event_stream import end_streams
from api.live.list_stream import PLATFORM_LISTS
from api.live.streams import BoardStream, stream_urlpatterns
from apps.accounts.models import Membership
from apps.accounts.services import remove_member
from apps.core.vitals import tally
from apps.live.groups import Board, Kind, open_boards
from hosting.live_streams import LiveStreams
from podcasts.models import Episode
from podcasts.services.trash import delete_show
from tests.conftest import People
from tests.live.streaming import Stream, stream

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]
WHO = ["owner", "admin", "editor", "analyst", "staff", "stranger", "anonymous"]
MEMBERS_ONLY = [200, 200, 200, 200, 404, 404, 401]
STAFF_ONLY = [404, 404, 404, 404, 200, 404, 401]


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    """Whatever is not a stream's."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


APPLICATION = LiveStreams(elsewhere)
ROUTE = path("api/v1/shows/<uuid:id>/live", BoardStream.as_asgi(kind=Kind.SHOW, pulse_seconds=0.02))
SOON = AuthMiddlewareStack(URLRouter([ROUTE]))


def address(episode: Episode) -> str:
    return f"/api/v1/shows/{episode.show_id}/live"


async def hear_nothing(found: Stream) -> None:
    await found.read()


def ask(client: Client, target: str, method: str = "GET") -> Stream:
    return stream(APPLICATION, client, target, hear_nothing, method=method)


MATRIX = {
    "api/v1/organizations/<uuid:id>/live": ("{episode.organization_id}", MEMBERS_ONLY),
    "api/v1/shows/<uuid:id>/live": ("{episode.show_id}", MEMBERS_ONLY),
    "api/v1/episodes/<uuid:id>/live": ("{episode.id}", MEMBERS_ONLY),
    "api/v1/platform/live": ("", STAFF_ONLY),
    **{f"api/v1/platform/live/{kind}": ("", STAFF_ONLY) for kind in PLATFORM_LISTS},
}


def test_every_stream_stands_in_the_matrix() -> None:
    assert {str(pattern.pattern) for pattern in stream_urlpatterns} == set(MATRIX)


@pytest.mark.parametrize("route", MATRIX)
def test_streams_are_for_members_and_the_platforms_for_staff(
    people: People, episode: Episode, route: str
) -> None:
    one, answers = MATRIX[route]
    target = "/" + route.replace("<uuid:id>", one.format(episode=episode))
    assert [ask(people.client(who), target).status for who in WHO] == answers


def test_a_refusal_is_a_problem_document(people: People, episode: Episode) -> None:
    bodies: list[str] = []

    async def keep(found: Stream) -> None:
        bodies.append(await found.read())

    refused = stream(APPLICATION, people.client("stranger"), address(episode), keep)

    api = people.client("stranger").get(f"{address(episode)}/state/")
    assert json.loads(bodies[0]) == api.json()
    assert refused.headers["content-type"] == api.headers["Content-Type"]


@pytest.mark.parametrize(
    ("method", "status", "is_allowed"), [("HEAD", 200, True), ("POST", 405, False)]
)
def test_other_methods_get_no_stream(
    people: People, episode: Episode, method: str, status: int, is_allowed: bool
) -> None:
    found = ask(people.client("owner"), address(episode), method)

    assert (found.status, found.is_over) == (status, True)
    assert ("allow" in found.headers) is not is_allowed


@pytest.mark.parametrize(
    "target",
    ["/api/v1/shows/", "/live", "/api/v1/shows/x/live", f"/api/v1/shows/{36 * '-'}/live", "/"],
)
def test_other_addresses_are_not_its_concern(people: People, target: str) -> None:
    assert ask(people.client("owner"), target).status == 299


def test_the_first_event_is_the_state_and_later_ones_come_from_the_group(
    people: People, episode: Episode
) -> None:
    owner = people.client("owner")
    polled = owner.get(f"{address(episode)}/state/").json()
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        heard.append(await found.read())
        layer: Any = get_channel_layer()
        message = {"type": "board.message", "text": json.dumps({"type": "show", "sequence": 7})}
        await layer.group_send(Board.of_show(episode.show_id).group, message)
        heard.append(await found.read())

    found = stream(APPLICATION, owner, address(episode), talk)

    first = heard[0].splitlines()
    assert first[:2] == ["retry: 3000", ""]
    assert first[2] == f"id: {polled['sequence']}"
    assert json.loads(first[3].removeprefix("data: ")) == polled
    assert heard[1] == 'id: 7\ndata: {"type": "show", "sequence": 7}\n\n'
    assert found.headers["content-type"].startswith("text/event-stream")
    assert found.headers["x-accel-buffering"] == "no"
    assert "no-transform" in found.headers["cache-control"]


def test_silence_is_filled_with_comments(people: People, episode: Episode) -> None:
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await found.read()
        heard.append(await found.read())

    stream(SOON, people.client("owner"), address(episode), talk)

    assert heard == [": still here\n\n"]


def test_an_open_stream_registers_its_board_and_is_counted_until_it_ends(
    people: People, episode: Episode
) -> None:
    before, seen = tally.sockets, []

    async def talk(found: Stream) -> None:
        await found.event()
        seen.append((tally.sockets, await sync_to_async(open_boards)()))

    stream(APPLICATION, people.client("owner"), address(episode), talk)

    assert seen == [(before + 1, {Board.of_show(episode.show_id)})]
    assert tally.sockets == before


def leave(people: People, episode: Episode) -> None:
    member = Membership.objects.get(user=people.editor)
    remove_member(actor=Membership.objects.get(user=people.owner), membership=member)


def delete(people: People, episode: Episode) -> None:
    delete_show(show=episode.show)


@pytest.mark.parametrize("happens", [leave, delete])
def test_whoever_may_not_listen_any_more_hears_so_and_nothing_else(
    people: People, episode: Episode, happens: Any
) -> None:
    """The pulse is a quarter of a minute away: it is the change itself that says so."""
    last: list[dict[str, Any]] = []

    async def talk(found: Stream) -> None:
        await found.event()
        await sync_to_async(happens)(people, episode)
        last.append(await found.event())

    found = stream(APPLICATION, people.client("editor"), address(episode), talk)

    assert found.is_over
    assert last[0]["type"] == "end"


def test_whoever_the_pulse_finds_out_hears_so_too(people: People, episode: Episode) -> None:
    """Nobody announced it: the membership is simply gone."""
    last: list[dict[str, Any]] = []

    async def talk(found: Stream) -> None:
        await found.event()
        await sync_to_async(Membership.objects.filter(user=people.editor).delete)()
        last.append(await found.event())

    found = stream(SOON, people.client("editor"), address(episode), talk)

    assert found.is_over
    assert last[0]["type"] == "end"


def test_a_request_with_a_body_is_answered_and_the_body_kept_nowhere(
    people: People, episode: Episode
) -> None:
    begun: list[BoardStream] = []

    class Kept(BoardStream):
        async def http_request(self, message: dict[str, Any]) -> None:
            begun.append(self)
            assert "body" not in message
            await super().http_request(message)

    route = path("api/v1/shows/<uuid:id>/live", Kept.as_asgi(kind=Kind.SHOW))
    application = AuthMiddlewareStack(URLRouter([route]))

    async def talk(found: Stream) -> None:
        await found.event()

    found = stream(application, people.client("owner"), address(episode), talk, body=[b"x"] * 3)

    assert found.status == 200
    assert len(begun) == 1


def test_a_server_that_stops_ends_its_streams(people: People, episode: Episode) -> None:
    async def talk(found: Stream) -> None:
        await found.event()
        await end_streams()
        await found.read()

    assert stream(APPLICATION, people.client("owner"), address(episode), talk).is_over


def test_a_server_that_stops_waits_for_no_client_that_takes_nothing(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.event_stream.GOODBYE_SECONDS", 0.05)

    async def talk(found: Stream) -> None:
        await found.event()
        found.has_room.clear()
        await asyncio.wait_for(end_streams(), 2)
        found.has_room.set()

    assert not stream(APPLICATION, people.client("owner"), address(episode), talk).is_over


def test_a_stream_that_is_over_hears_no_goodbye(people: People, episode: Episode) -> None:
    made: list[BoardStream] = []

    class Kept(BoardStream):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    route = path("api/v1/shows/<uuid:id>/live", Kept.as_asgi(kind=Kind.SHOW))
    application = AuthMiddlewareStack(URLRouter([route]))

    async def talk(found: Stream) -> None:
        await found.event()

    found = stream(application, people.client("owner"), address(episode), talk)
    async_to_sync(end_streams)()

    assert len(made) == 1
    assert not found.is_over


def test_without_valkey_a_stream_is_refused_for_the_moment(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        async def new_channel(self) -> str:
            raise ConnectionError("Valkey is away")

    monkeypatch.setattr("channels.consumer.get_channel_layer", lambda alias: Away())

    assert ask(people.client("owner"), address(episode)).status == 503
