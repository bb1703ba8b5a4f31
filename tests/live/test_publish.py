"""How often open boards are told something, and what; the clock is moved by hand."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from apps.downloads.summary import BatchSummary
from apps.live.groups import OPEN_SECONDS, PLATFORM, Board, open_boards
from apps.live.publish import REFRESH_SECONDS, Publisher
from apps.live.states import board_message
from podcasts.models import Episode
from tests.factories import EpisodeFactory
from tests.live.making import batch, download, listen, watch

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


@dataclass
class Stage:
    """A publisher whose messages are kept, and the clock that it and the product read."""

    time: time_machine.Traveller
    sent: list[tuple[float, Board, dict[str, Any]]] = field(default_factory=list)
    seconds: float = 0.0
    is_broken: bool = False

    def __post_init__(self) -> None:
        self.publisher = Publisher(send=self._keep, clock=lambda: self.seconds)

    def _keep(self, messages: Mapping[Board, str]) -> None:
        if self.is_broken:
            raise ConnectionError("Valkey is away")
        self.sent.extend((self.seconds, board, json.loads(t)) for board, t in messages.items())

    def turn_at(self, seconds: float) -> list[dict[str, Any]]:
        """Let the publisher look around at this second; what it sent."""
        self.time.move_to(NOON + timedelta(seconds=seconds))
        self.seconds, before = seconds, len(self.sent)
        self.publisher.turn()
        return [message for _, _, message in self.sent[before:]]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """It is noon."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield Stage(traveller)


@pytest.fixture
def episode() -> Episode:
    """A published episode that nobody downloaded."""
    return EpisodeFactory()


def test_nothing_is_computed_for_boards_that_nobody_watches(
    stage: Stage, episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    download(episode)
    stage.publisher.note(batch(episode))

    with django_assert_num_queries(0):
        assert stage.turn_at(0) == []


def test_a_board_that_was_just_opened_is_told_its_state(stage: Stage, episode: Episode) -> None:
    download(episode)
    watch(Board(episode.show_id))

    (message,) = stage.turn_at(0)

    assert (message["type"], message["today"], message["total"]) == ("show", 1, 1)


def test_the_first_news_after_quiet_goes_out_at_once(stage: Stage, episode: Episode) -> None:
    watch(Board(episode.show_id), PLATFORM)
    stage.turn_at(0)
    assert stage.turn_at(5) == []

    download(episode, app="AntennaPod", country="FR", device="Android phone")
    stage.publisher.note(batch(episode))
    messages = stage.turn_at(5.1)

    assert {message["type"] for message in messages} == {"show", "platform"}
    for message in messages:
        newest = message["latest"][0]
        assert message["today"] == 1
        assert newest["episode"] == episode.title
        assert (newest["app"], newest["country"]) == ("AntennaPod", "FR")


def test_a_board_gets_at_most_one_message_a_second(stage: Stage, episode: Episode) -> None:
    watch(Board(episode.show_id))
    for number in range(41):
        download(episode)
        stage.publisher.note(batch(episode))
        stage.turn_at(number / 10)

    assert [at for at, _, _ in stage.sent] == [0, 1, 2, 3, 4]
    assert stage.sent[-1][2]["today"] == 41


def test_other_shows_news_send_nothing(stage: Stage, episode: Episode) -> None:
    watch(Board(episode.show_id))
    stage.turn_at(0)

    stage.publisher.note(batch(EpisodeFactory()))

    assert stage.turn_at(2) == []


def test_a_batch_that_touched_no_show_sends_nothing(stage: Stage) -> None:
    watch(PLATFORM)
    stage.turn_at(0)

    stage.publisher.note(BatchSummary(at=NOON, messages=3))

    assert stage.turn_at(2) == []


def test_listeners_and_bytes_per_second_fall_to_zero_without_news(
    stage: Stage, episode: Episode
) -> None:
    watch(Board(episode.show_id))
    listen(episode, at=NOON - timedelta(seconds=1), sent=5_000_000)
    stage.turn_at(0)
    for second in range(1, 90):
        watch(Board(episode.show_id))
        stage.turn_at(second)

    shown = [(m["listeners_now"], m["bytes_per_second"]) for _, _, m in stage.sent]
    assert shown[0] == (1, 500_000)
    assert (1, 0) in shown
    assert shown[-1] == (0, 0)


def test_a_tick_without_a_difference_sends_nothing_and_asks_the_database_nothing(
    stage: Stage, episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watch(Board(episode.show_id))
    listen(episode, at=NOON - timedelta(seconds=2))
    stage.turn_at(0)

    with django_assert_num_queries(0):
        assert stage.turn_at(2) == []


def test_an_idle_board_is_repeated_now_and_then_so_that_a_lost_message_is_made_good(
    stage: Stage, episode: Episode
) -> None:
    watch(Board(episode.show_id))
    stage.turn_at(0)
    download(episode)

    assert stage.turn_at(REFRESH_SECONDS - 1) == []
    (message,) = stage.turn_at(REFRESH_SECONDS)
    assert message["total"] == 1


def test_today_begins_at_zero_after_midnight(stage: Stage, episode: Episode) -> None:
    watch(Board(episode.show_id))
    download(episode, at=NOON)
    assert [m["today"] for m in stage.turn_at(0)] == [1]

    midnight = 12 * 3600 + 1
    stage.time.move_to(NOON + timedelta(seconds=midnight))
    watch(Board(episode.show_id))
    (message,) = stage.turn_at(midnight)

    assert (message["today"], message["week"], message["total"]) == (0, 1, 1)


def test_news_that_could_not_be_sent_go_out_later(stage: Stage, episode: Episode) -> None:
    watch(Board(episode.show_id))
    stage.turn_at(0)
    download(episode)
    stage.publisher.note(batch(episode))
    stage.is_broken = True
    with pytest.raises(ConnectionError):
        stage.turn_at(2)

    stage.is_broken = False

    assert [m["today"] for m in stage.turn_at(2.5)] == [1]


def test_a_board_that_cannot_be_built_keeps_no_other_from_its_news(
    stage: Stage, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EpisodeFactory().show_id

    def build_or_fail(board: Board) -> dict[str, object]:
        if board.show_id == broken:
            raise ValueError("no such figure")
        return board_message(board)

    monkeypatch.setattr("apps.live.publish.board_message", build_or_fail)
    watch(Board(broken), Board(episode.show_id))

    stage.turn_at(0)

    assert [board for _, board, _ in stage.sent] == [Board(episode.show_id)]


def test_a_board_is_forgotten_when_nobody_renews_it(stage: Stage, episode: Episode) -> None:
    watch(Board(episode.show_id))
    assert open_boards() == {Board(episode.show_id)}

    stage.time.move_to(NOON + timedelta(seconds=OPEN_SECONDS + 1))

    assert open_boards() == set()


@pytest.mark.parametrize("board", [PLATFORM, Board(EpisodeFactory.build().id)])
def test_a_boards_group_names_it(board: Board) -> None:
    assert Board.from_group(board.group) == board


@pytest.mark.parametrize("name", ["", "shows.1", "show.", "show.x", "episode.1"])
def test_other_groups_are_no_boards(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Board.from_group(name)
