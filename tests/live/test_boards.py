"""What open boards are told; the clock is moved by hand."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies
from pytest_django import DjangoAssertNumQueries

from apps.downloads.charts import first_open_day
from apps.downloads.models import DayTotal, MonthTotal
from apps.downloads.revision import recounted
from apps.live.boards import current_text
from apps.live.groups import PLATFORM, Board
from apps.live.states import encode, is_of_today
from apps.live.watched import (
    RANKING_SECONDS,
)
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory
from tests.live.making import batch, download, listen, watch
from tests.live.staging import NOON, Stage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


def test_a_board_that_was_just_opened_is_told_its_state(stage: Stage, episode: Episode) -> None:
    download(episode)
    watch(Board.of_show(episode.show_id))

    (message,) = stage.turn_at(0)

    assert (message["type"], message["today"], message["total"]) == ("show", 1, 1)


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


@pytest.mark.parametrize(
    ("hours", "todays"),
    [(0, [2, 1, 1]), (14, [1, 2, 2])],
    ids=["tomorrow in Auckland already", "still yesterday in Pago Pago"],
)
def test_an_organisations_today_is_that_of_each_of_its_shows(
    stage: Stage, people: People, hours: int, todays: list[int]
) -> None:
    at = NOON + timedelta(hours=hours)
    made = [
        EpisodeFactory(show__organization=people.organization, show__time_zone=zone)
        for zone in ("UTC", "Pacific/Auckland", "Pacific/Pago_Pago")
    ]
    for one in made:
        for hours_ago in (0, 3):
            download(one, at=at - timedelta(hours=hours_ago))
    board = Board.of_organization(people.organization.id)
    shows = [Board.of_show(one.show_id) for one in made]
    stage.time.move_to(at)
    watch(board, *shows)
    stage.turn_at(hours * 3600)

    told = {one: message for _, one, message in stage.sent}
    assert [told[show]["today"] for show in shows] == todays
    for name in ("today", "week", "month", "total"):
        assert told[board][name] == sum(told[show][name] for show in shows)
    assert sorted(row["today"] for row in told[board]["shows"]) == sorted(todays)
    assert sum(app["count"] for app in told[board]["apps"]) == sum(todays)
    assert told[board]["time_zone"] is None


@pytest.mark.parametrize(
    ("zones", "ends_at"),
    [
        (["UTC"], "2026-10-15T00:00:00+00:00"),
        (["Europe/Berlin", "America/New_York"], "2026-10-14T22:00:00+00:00"),
        (["Pacific/Auckland", "Asia/Kolkata"], "2026-10-14T18:30:00+00:00"),
    ],
)
def test_an_organisations_day_ends_with_that_of_the_first_of_its_shows(
    stage: Stage, people: People, zones: list[str], ends_at: str
) -> None:
    for zone in zones:
        ShowFactory(organization=people.organization, time_zone=zone)
    watch(Board.of_organization(people.organization.id))

    (message,) = stage.turn_at(0)

    assert message["day_ends_at"] == ends_at
    assert is_of_today(message, datetime.fromisoformat(ends_at) - timedelta(microseconds=1))
    assert not is_of_today(message, datetime.fromisoformat(ends_at))


@pytest.mark.parametrize("board", [PLATFORM, Board.of_show(EpisodeFactory.build().id)])
def test_a_boards_group_names_it(board: Board) -> None:
    assert Board.from_group(board.group) == board


@pytest.mark.parametrize(
    "name", ["", "shows.1", "show", "show.", "show.x", "episode.1", "platform." + "0" * 32]
)
def test_other_groups_are_no_boards(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Board.from_group(name)


@pytest.mark.parametrize(
    ("zone", "hour", "first_open"),
    [("UTC", 1, "2026-10-11"), ("America/New_York", 1, "2026-10-10")],
)
def test_every_message_says_from_which_day_on_figures_are_provisional(
    stage: Stage, zone: str, hour: int, first_open: str
) -> None:
    """As the statistics do: the first day that late reports may still change."""
    at = NOON + timedelta(hours=hour)
    stage.time.move_to(at)
    watch(Board.of_show(ShowFactory(time_zone=zone).id))

    (message,) = stage.turn_at(hour * 3600)

    assert message["provisional_from"] == first_open_day(at, ZoneInfo(zone)).isoformat()
    assert message["provisional_from"] == first_open


@given(
    strategies.recursive(
        strategies.none()
        | strategies.integers(-(2**60), 2**60)
        | strategies.text(strategies.characters(exclude_categories=["Cs"])),
        lambda values: (
            strategies.lists(values)
            | strategies.dictionaries(
                strategies.text(strategies.characters(exclude_categories=["Cs"])), values
            )
        ),
    )
)
def test_messages_are_json(value: object) -> None:
    assert json.loads(encode({"said": value})) == {"said": value}
    assert encode({"said": value}) == json.dumps(
        {"said": value}, ensure_ascii=False, separators=(",", ":")
    )


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
