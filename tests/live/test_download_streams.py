"""Lists of downloads as streams: told by the live board that counts them, never one by one."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.live import board_feed
from api.live.feeds import Frames
from apps.live.groups import PLATFORM, Board, open_boards
from apps.live.states import board_message, encode
from hosting.live_streams import LiveStreams
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.live.making import download
from tests.live.streaming import Stream, next_events, stream
from tests.live.test_streams import elsewhere

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]
APPLICATION = LiveStreams(elsewhere)
EVENTS = {"Accept": "text/event-stream"}

type Events = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def episode(people: People) -> Episode:
    return EpisodeFactory(show__organization=people.organization)


def count(*episodes: Episode, board: Board) -> str:
    """Downloads of these, and what the publisher then says on a board."""
    for one in episodes:
        download(one)
    return encode(board_message(board))


async def publish(board: Board, text: str) -> None:
    layer: Any = get_channel_layer()
    await layer.group_send(board.group, {"type": "board.message", "text": text})


def heard_of(
    people: People, target: str, board: Board, *downloaded: Episode, who: str = "owner"
) -> Events:
    """The events that follow downloads."""
    heard: Events = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        assert board in await sync_to_async(open_boards)()
        await publish(board, await sync_to_async(count)(*downloaded, board=board))
        heard.extend(await next_events(found))

    stream(APPLICATION, people.client(who), target, talk, headers=EVENTS)
    return heard


def test_new_downloads_are_told_as_the_list_has_them_and_counted(
    people: People, episode: Episode
) -> None:
    download(episode)  # is in the list already, and no news
    target = f"/api/v1/shows/{episode.show_id}/downloads/"
    heard = heard_of(people, target, Board.of_show(episode.show_id), episode, episode)

    rows = people.client("owner").get(target).json()["results"]
    upserts = [event for kind, event in heard if kind == "upsert"]
    assert [event["row"] for event in upserts] == rows[1::-1]
    assert heard[-1] == ("counted", {"type": "counted", "count": 2, "total": 3})


def test_an_episodes_list_tells_of_that_episode(people: People, episode: Episode) -> None:
    other = EpisodeFactory(show=episode.show)
    target = f"/api/v1/episodes/{episode.id}/downloads/"
    heard = heard_of(people, target, Board.of_episode(episode.id), other, episode)
    assert [kind for kind, _ in heard] == ["upsert", "counted"]
    assert heard[0][1]["row"]["episode"] == str(episode.id)


def test_filters_are_for_the_rows_and_not_for_the_number(people: People, episode: Episode) -> None:
    target = f"/api/v1/shows/{episode.show_id}/downloads/?country=XX"
    heard = heard_of(people, target, Board.of_show(episode.show_id), episode)
    assert heard == [("counted", {"type": "counted", "count": 1, "total": 1})]


def test_a_thousand_at_once_are_a_few_rows_their_number_and_one_query(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_feed, "NEWEST", 5)
    target = f"/api/v1/shows/{episode.show_id}/downloads/"
    looks: list[int] = []
    newest = board_feed.NewestRows._newest

    def counted(self: Any) -> Any:
        with CaptureQueriesContext(connection) as queries:
            found = newest(self)
        looks.append(len(queries))
        return found

    monkeypatch.setattr(board_feed.NewestRows, "_newest", counted)
    heard = heard_of(people, target, Board.of_show(episode.show_id), *[episode] * 30)

    assert [kind for kind, _ in heard] == ["upsert"] * 5 + ["counted"]
    assert heard[-1][1]["count"] == 30
    assert looks == [1]


def test_after_a_recount_the_list_has_to_be_read_anew(people: People, episode: Episode) -> None:
    download(episode)
    target = f"/api/v1/shows/{episode.show_id}/downloads/"
    board = Board.of_show(episode.show_id)
    heard: Events = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        message = await sync_to_async(board_message)(board)
        await publish(board, encode(message | {"total": 0}))
        heard.extend(await next_events(found))

    stream(APPLICATION, people.client("owner"), target, talk, headers=EVENTS)

    assert heard == [("resync", {"type": "resync"})]


@pytest.mark.parametrize(
    ("who", "answer"), [("analyst", 200), ("staff", 404), ("stranger", 404), ("anonymous", 401)]
)
def test_downloads_are_heard_by_members(
    people: People, episode: Episode, who: str, answer: int
) -> None:
    async def talk(found: Stream) -> None:
        await found.read()

    for target in (f"shows/{episode.show_id}", f"episodes/{episode.id}"):
        address = f"/api/v1/{target}/downloads/"
        found = stream(APPLICATION, people.client(who), address, talk, headers=EVENTS)
        assert found.status == answer


@pytest.mark.parametrize("kind", ["downloads", "hits"])
def test_staff_hear_that_something_was_counted(people: People, episode: Episode, kind: str) -> None:
    target = f"/api/v1/platform/live/{kind}"
    heard = heard_of(people, target, PLATFORM, episode, who="staff")
    assert heard == [("changed", {"type": "changed", "list": kind})]


@dataclass(frozen=True)
class Leaving:
    """A wish; while its events are made, what ``meanwhile`` says happens."""

    name: str
    meanwhile: Callable[[], None] = field(compare=False)

    async def known(self) -> frozenset[str]:
        return frozenset()

    async def frames(
        self, before: Any, message: Any, told: frozenset[str]
    ) -> tuple[Frames, frozenset[str]]:
        self.meanwhile()
        return {}, frozenset({"a row"})


@pytest.mark.parametrize("leaver", ["first", "second"])
def test_who_leaves_while_others_are_told_is_forgotten_for_good(
    leaver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(board: Board) -> None:
        return None

    monkeypatch.setattr(board_feed, "keep_open", nothing)
    feed = board_feed.BoardFeed(PLATFORM)
    feed._before = {"sequence": 1, "epoch": 1, "total": 1}
    feed.note({"text": json.dumps({"sequence": 2, "epoch": 1, "total": 2})})
    hearer: Any = object()

    def leave() -> None:
        feed.leave(wishes[leaver], hearer)

    wishes = {
        "first": Leaving("first", leave),
        "second": Leaving("second", lambda: None),
    }

    async def listen() -> None:
        for wish in wishes.values():
            await feed.welcome(wish)
            feed.hearers[wish] = {hearer}
        await feed.look()

    monkeypatch.setattr(feed, "tell", lambda wish, frames, cursor: None)
    async_to_sync(listen)()
    stays = {"first": "second", "second": "first"}[leaver]
    assert feed._told == {wishes[stays]: frozenset({"a row"})}
    assert feed._before["sequence"] == 2
