"""How often open boards are told something, and what; the clock is moved by hand."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from pytest_django import DjangoAssertNumQueries

from apps.downloads.models import DayTotal, MonthTotal
from apps.downloads.revision import recounted
from apps.downloads.summary import BatchSummary
from apps.live.boards import current_text
from apps.live.groups import OPEN_SECONDS, PLATFORM, Board, open_boards
from apps.live.publish import BOARDS_PER_TURN, Publisher
from apps.live.states import describe
from apps.live.watched import (
    EARLY_SECONDS,
    MESSAGE_SECONDS,
    RANKING_SECONDS,
    REBUILD_SECONDS,
    REPEAT_SECONDS,
)
from podcasts.models import Episode
from tests.factories import EpisodeFactory, ShowFactory
from tests.live.making import batch, download, listen, stir, watch

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
    watch(Board.of_show(episode.show_id))

    (message,) = stage.turn_at(0)

    assert (message["type"], message["today"], message["total"]) == ("show", 1, 1)


def test_the_first_news_after_quiet_goes_out_at_once(stage: Stage, episode: Episode) -> None:
    watch(Board.of_show(episode.show_id), PLATFORM)
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
    watch(Board.of_show(episode.show_id))
    for number in range(41):
        download(episode)
        stage.publisher.note(batch(episode))
        stage.turn_at(number / 10)

    times = [at for at, _, _ in stage.sent]
    assert len(times) == 5
    assert all(later - early >= MESSAGE_SECONDS - EARLY_SECONDS for early, later in pairwise(times))
    assert all(times[n] >= n * MESSAGE_SECONDS - EARLY_SECONDS for n in range(len(times)))


def test_other_shows_news_send_nothing(stage: Stage, episode: Episode) -> None:
    watch(Board.of_show(episode.show_id))
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
    watch(Board.of_show(episode.show_id))
    listen(episode, at=NOON - timedelta(seconds=1), sent=5_000_000)
    stage.turn_at(0)
    for second in range(1, 90):
        watch(Board.of_show(episode.show_id))
        stage.turn_at(second)

    shown = [(m["listeners_now"], m["bytes_per_second"]) for _, _, m in stage.sent]
    assert shown[0] == (1, 500_000)
    assert (1, 0) in shown
    assert shown[-1] == (0, 0)


def test_a_tick_without_a_difference_sends_nothing_and_asks_the_database_nothing(
    stage: Stage, episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watch(Board.of_show(episode.show_id))
    listen(episode, at=NOON - timedelta(seconds=2))
    stage.turn_at(0)

    with django_assert_num_queries(0):
        assert stage.turn_at(2) == []


def test_an_idle_board_is_repeated_now_and_then_so_that_a_lost_message_is_made_good(
    stage: Stage, episode: Episode
) -> None:
    watch(Board.of_show(episode.show_id))
    stage.turn_at(0)
    download(episode)

    assert stage.turn_at(REPEAT_SECONDS - 1) == []
    (message,) = stage.turn_at(REPEAT_SECONDS)
    assert message["total"] == 0  # as it was sent: nobody said that it changed
    for seconds in range(int(REPEAT_SECONDS), int(REBUILD_SECONDS), int(REPEAT_SECONDS)):
        watch(Board.of_show(episode.show_id))
        stage.turn_at(seconds + REPEAT_SECONDS)
    assert stage.sent[-1][2]["total"] == 1


def test_today_begins_at_zero_after_midnight(stage: Stage, episode: Episode) -> None:
    watch(Board.of_show(episode.show_id))
    download(episode, at=NOON)
    assert [m["today"] for m in stage.turn_at(0)] == [1]

    midnight = 12 * 3600 + 1
    stage.time.move_to(NOON + timedelta(seconds=midnight))
    watch(Board.of_show(episode.show_id))
    (message,) = stage.turn_at(midnight)

    assert (message["today"], message["week"], message["total"]) == (0, 1, 1)


def test_a_shows_today_is_that_of_its_time_zone(stage: Stage) -> None:
    """It is noon in UTC, and past midnight in Auckland."""
    show = ShowFactory(time_zone="Pacific/Auckland")
    episode = EpisodeFactory(show=show)
    download(episode, at=NOON - timedelta(hours=2))
    boards = [Board.of_show(show.id), Board.of_episode(episode.id), PLATFORM]
    watch(*boards)
    stage.turn_at(0)

    told = {board: message for _, board, message in stage.sent}
    assert [told[board]["day"] for board in boards] == ["2026-10-15", "2026-10-15", "2026-10-14"]
    assert [told[board]["today"] for board in boards] == [0, 0, 1]
    assert [told[board]["week"] for board in boards] == [1, 1, 1]


def test_news_that_could_not_be_sent_go_out_later(stage: Stage, episode: Episode) -> None:
    watch(Board.of_show(episode.show_id))
    stage.turn_at(0)
    download(episode)
    stage.publisher.note(batch(episode))
    stage.is_broken = True
    with pytest.raises(ConnectionError):
        stage.turn_at(2)

    stage.is_broken = False

    assert [m["today"] for m in stage.turn_at(2.5)] == [1]


@pytest.mark.parametrize("error", [ValueError("no such figure"), OperationalError("too slow")])
def test_a_board_that_cannot_be_read_keeps_no_other_from_its_news(
    stage: Stage, episode: Episode, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    broken = EpisodeFactory().show_id

    def describe_or_fail(board: Board, **options: Any) -> dict[str, object]:
        if board.id == broken:
            raise error
        return describe(board, **options)

    monkeypatch.setattr("apps.live.publish.describe", describe_or_fail)
    watch(Board.of_show(broken), Board.of_show(episode.show_id))

    for seconds in (0, 0.1):
        with suppress(OperationalError):
            stage.turn_at(seconds)

    assert [board for _, board, _ in stage.sent] == [Board.of_show(episode.show_id)]


def test_a_board_is_forgotten_when_nobody_renews_it(stage: Stage, episode: Episode) -> None:
    watch(Board.of_show(episode.show_id))
    assert open_boards() == {Board.of_show(episode.show_id)}

    stage.time.move_to(NOON + timedelta(seconds=OPEN_SECONDS + 1))

    assert open_boards() == set()


@pytest.mark.parametrize("board", [PLATFORM, Board.of_show(EpisodeFactory.build().id)])
def test_a_boards_group_names_it(board: Board) -> None:
    assert Board.from_group(board.group) == board


@pytest.mark.parametrize(
    "name", ["", "shows.1", "show", "show.", "show.x", "episode.1", "platform." + "0" * 32]
)
def test_other_groups_are_no_boards(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Board.from_group(name)


def test_all_boards_of_a_download_hear_of_it(stage: Stage, episode: Episode) -> None:
    other = EpisodeFactory(show__organization=episode.organization)
    download(episode)
    download(other)
    boards = [
        Board.of_show(episode.show_id),
        Board.of_episode(episode.id),
        Board.of_organization(episode.organization_id),
        PLATFORM,
    ]
    watch(*boards)
    stage.publisher.note(batch(episode, other))
    stage.turn_at(0)

    told = {board: message for _, board, message in stage.sent}
    assert {board: told[board]["today"] for board in boards} == dict(
        zip(boards, [1, 1, 2, 2], strict=True)
    )
    assert [told[board]["minutes"][-1] for board in boards] == [1, 1, 2, 2]
    assert [row["title"] for row in told[boards[2]]["shows"]] == sorted(
        [episode.show.title, other.show.title]
    )
    assert told[boards[1]]["total"] == 1
    assert told[boards[0]]["countries"] == [{"name": "Germany", "count": 1}]


def test_the_hour_slides_by_a_minute(stage: Stage, episode: Episode) -> None:
    watch(Board.of_show(episode.show_id))
    stage.publisher.note(batch(episode))
    (message,) = stage.turn_at(0)
    assert message["minutes"] == [0] * 59 + [1]

    stage.time.move_to(NOON + timedelta(minutes=59, seconds=1))
    watch(Board.of_show(episode.show_id))
    (message,) = stage.turn_at(59 * 60 + 1)

    assert message["minutes"] == [1] + [0] * 59


def test_without_a_download_the_totals_are_not_read(
    stage: Stage, episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watch(Board.of_episode(episode.id))
    stage.turn_at(0)
    listen(episode, at=NOON + timedelta(seconds=1))
    stage.publisher.note(stir(episode))

    with django_assert_num_queries(0):
        (message,) = stage.turn_at(2)

    assert message["listeners_now"] == 1


def test_tables_are_read_less_often_than_totals_and_end_up_right(
    stage: Stage, episode: Episode
) -> None:
    watch(Board.of_show(episode.show_id))
    stage.turn_at(0)
    for number in range(1, 3):
        download(episode, app=f"App {number}")
        stage.publisher.note(batch(episode))
        (message,) = stage.turn_at(number)
        assert (message["today"], message["apps"]) == (number, [])

    (message,) = stage.turn_at(RANKING_SECONDS)

    assert [app["name"] for app in message["apps"]] == ["App 1", "App 2"]


def test_a_viral_show_starves_no_other(stage: Stage) -> None:
    """One show has news all the time, a hundred others now and then: nobody waits a round longer.

    A turn reads no more than BOARDS_PER_TURN boards, those that have waited longest first.
    """
    viral, *others = EpisodeFactory.create_batch(4 * BOARDS_PER_TURN + 1)
    boards = [Board.of_show(one.show_id) for one in (viral, *others)]
    for second in range(6):
        watch(*boards)
        stage.publisher.note(batch(viral, *others) if second % 2 == 0 else batch(viral))
        for turn in range(5):
            before = len(stage.sent)
            stage.turn_at(second + turn / 100)
            assert len(stage.sent) - before <= BOARDS_PER_TURN
            download(viral)
            stage.publisher.note(batch(viral))
        for one in others:
            download(one)

    told = Counter(board for _, board, _ in stage.sent)
    assert told[boards[0]] <= 6
    assert all(told[board] >= 3 for board in boards)


def test_a_board_that_takes_long_to_read_is_read_less_often(
    stage: Stage, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = EpisodeFactory()
    slow, quick = Board.of_show(episode.show_id), Board.of_show(other.show_id)
    reads: list[Board] = []

    def describe_slowly(board: Board, **options: Any) -> dict[str, object]:
        reads.append(board)
        stage.seconds += 1.0 if board == slow else 0.0
        return describe(board, **options)

    monkeypatch.setattr("apps.live.publish.describe", describe_slowly)
    watch(slow, quick)
    for second in range(10):
        stage.publisher.note(batch(episode, other))
        stage.turn_at(second)

    assert reads.count(slow) == 2
    assert reads.count(quick) >= 9


def test_of_several_publishers_one_speaks_and_hears_from_the_others(
    stage: Stage, episode: Episode
) -> None:
    other = Stage(stage.time)
    watch(Board.of_show(episode.show_id))
    stage.turn_at(0)
    assert other.turn_at(0.1) == []

    download(episode)
    other.publisher.note(batch(episode))
    assert other.turn_at(2) == []
    (message,) = stage.turn_at(2)
    assert message["today"] == 1

    stage.publisher._lease.release()
    (message,) = other.turn_at(2.1)
    assert message["today"] == 1


def test_a_recount_is_told_to_every_open_board(stage: Stage, episode: Episode) -> None:
    download(episode)
    watch(Board.of_show(episode.show_id))
    (before,) = stage.turn_at(0)
    for rows in (DayTotal, MonthTotal):
        rows.objects.update(downloads=0)

    recounted()
    (after,) = stage.turn_at(1)

    assert (before["today"], before["total"]) == (1, 1)
    assert (after["today"], after["total"]) == (0, 0)
    assert before["epoch"] != after["epoch"]
    assert before["sequence"] < after["sequence"]


def test_what_was_told_last_is_kept_for_whoever_comes_next(
    stage: Stage, episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    board = Board.of_show(episode.show_id)
    watch(board)
    (message,) = stage.turn_at(0)

    with django_assert_num_queries(0):
        assert json.loads(current_text(board)) == message
