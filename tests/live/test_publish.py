"""When open boards are told something; the clock is moved by hand."""

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import DjangoAssertNumQueries

from apps.downloads.summary import BatchSummary
from apps.live.groups import OPEN_SECONDS, PLATFORM, Board, open_boards
from apps.live.places import place_of
from apps.live.publish import BOARDS_PER_TURN
from apps.live.states import Message, board_message, describe, tables_of
from apps.live.watched import (
    EARLY_SECONDS,
    MESSAGE_SECONDS,
    RANKINGS_SHARE,
    REBUILD_SECONDS,
    REPEAT_SECONDS,
)
from podcasts.models import Episode
from tests.factories import EpisodeFactory
from tests.live.making import batch, download, listen, stir, watch
from tests.live.staging import NOON, Stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


def test_nothing_is_computed_for_boards_that_nobody_watches(
    stage: Stage, episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    download(episode)
    stage.publisher.note(batch(episode))

    with django_assert_num_queries(0):
        assert stage.turn_at(0) == []


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


def test_tables_of_many_boards_take_a_fifth_of_the_time_and_totals_are_told_every_second(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    episodes = EpisodeFactory.create_batch(BOARDS_PER_TURN)
    boards = [Board.of_show(one.show_id) for one in episodes]
    seconds_each, seconds = 0.2, 120
    read: Counter[Board] = Counter()
    spent: list[float] = []

    def read_slowly(ranked: list[Board], *, at: datetime) -> dict[Board, Message]:
        read.update(ranked)
        spent.append(seconds_each * len(ranked))
        stage.seconds += spent[-1]
        return tables_of(ranked, at=at)

    monkeypatch.setattr("apps.live.publish.tables_of", read_slowly)
    for second in range(seconds):
        watch(*boards)
        stage.publisher.note(batch(*episodes))
        stage.turn_at(second)

    told = Counter(board for _, board, _ in stage.sent)
    opening = spent[0]  # nobody is shown an empty board for the sake of a budget
    assert sum(spent[1:]) <= RANKINGS_SHARE * seconds + opening
    assert all(read[board] >= 4 for board in boards)
    assert all(told[board] >= seconds - 2 for board in boards)


def test_boards_that_are_told_together_are_read_and_told_in_one_go(
    stage: Stage, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    episodes = EpisodeFactory.create_batch(5)
    for one in episodes:
        download(one)
    boards = [Board.of_show(one.show_id) for one in episodes]
    watch(*boards)
    for board in boards:
        place_of(board)

    with django_assert_num_queries(6):  # three of figures, three of tables
        messages = stage.turn_at(0)

    told = dict(zip((board for _, board, _ in stage.sent), messages, strict=True))
    assert told == {board: board_message(board, at=NOON) for board in boards}


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
