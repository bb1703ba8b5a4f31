"""What charts are drawn from: the numbers, each in one query, whatever the period and the zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from apps.downloads import charts, drop_days, episode_curves
from apps.downloads.chart_tables import Column, Table
from apps.downloads.charts import Bucket, Grain, MonthOfListeners, Part
from apps.downloads.drop_reasons import BELOW_THRESHOLD, QUARANTINED, explanations
from apps.downloads.first_days import MILESTONE_DAYS, downloads_within
from apps.downloads.models import Dimension, DropTally, MonthListeners
from apps.downloads.rules import DropReason
from apps.downloads.sketch import empty
from apps.downloads.totals import Period, Scope
from apps.downloads.window import last_expired_day
from podcasts.models import Episode
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, ShowFactory

TODAY = date(2026, 10, 14)  # a Wednesday
NOW = datetime(2026, 10, 14, 15, 45, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def episode(db: None) -> Episode:
    """One episode of a show in Berlin, beside another show that was downloaded as well."""
    store_download(EpisodeFactory(show=ShowFactory(title="Elsewhere")), at=NOW)
    made: Episode = EpisodeFactory(show=ShowFactory(time_zone="Europe/Berlin"))
    return made


def scope_of(episode: Episode) -> Scope:
    return Scope(show=episode.show_id, organization=episode.organization_id)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def listen(episode: Episode, *days_ago: int, **fields: Any) -> None:
    for days in days_ago:
        store_download(episode, at=at(TODAY - timedelta(days=days)), **fields)


def test_windows_stand_beside_as_many_days_before(episode: Episode) -> None:
    listen(episode, 0, 6, 7, 13, 14, 29, 30, 59, 60, 89, 90, 179, 180)

    found = charts.windows(scope_of(episode), today=TODAY)

    assert [(each.days, each.count, each.before) for each in found] == [
        (7, 2, 2),
        (30, 6, 2),
        (90, 10, 2),
    ]
    assert all(len(each.line) == each.days and sum(each.line) == each.count for each in found)


def test_weeks_begin_on_monday_and_are_cut_off_where_the_period_ends(episode: Episode) -> None:
    listen(episode, 0, 1, 2, 3, 9)
    period = Period(TODAY - timedelta(days=9), TODAY)  # from a Monday to a Wednesday

    weeks = charts.over_time(scope_of(episode), period, Grain.WEEK)

    assert [(each.first, each.last, each.downloads) for each in weeks] == [
        (date(2026, 10, 5), date(2026, 10, 11), 2),
        (date(2026, 10, 12), TODAY, 3),
    ]
    assert {each.listeners for each in weeks} == {None}


def test_only_days_know_their_listeners(episode: Episode) -> None:
    listen(episode, 1, is_new_listener=True)
    listen(episode, 1, is_new_listener=False, is_provisional=True)

    [before, day] = charts.over_time(
        scope_of(episode), Period(TODAY - timedelta(days=2), TODAY - timedelta(days=1)), Grain.DAY
    )

    yesterday = TODAY - timedelta(days=1)
    assert day == Bucket(yesterday, yesterday, downloads=2, provisional=1, listeners=1)
    assert (before.downloads, before.listeners) == (0, 0)


DAYS = st.dates(min_value=date(2023, 12, 1), max_value=date(2027, 2, 1))


@given(first=DAYS, length=st.integers(min_value=0, max_value=800), grain=st.sampled_from(Grain))
def test_every_day_is_in_exactly_one_week_or_month(first: date, length: int, grain: Grain) -> None:
    begins = [grain.first_day(day) for day in Period(first, first + timedelta(days=length)).days()]
    assert begins == sorted(begins)
    assert all(grain.first_day(begin) == begin for begin in begins)


@given(first=DAYS, length=st.integers(min_value=0, max_value=500))
def test_whole_months_are_those_that_lie_in_the_period(first: date, length: int) -> None:
    period = Period(first, first + timedelta(days=length))
    days = set(period.days())
    months = {day.replace(day=1) for day in days}
    whole = sorted(
        month
        for month in months
        if {*Period(month, charts._next_month(month) - timedelta(days=1)).days()} <= days
    )
    found = charts._whole_months(period)
    assert (found.first if found else None) == (whole[0] if whole else None)
    assert (found.last + timedelta(days=1) if found else None) == (
        charts._next_month(whole[-1]) if whole else None
    )


@pytest.mark.parametrize("days", [1, 20, 45, 100])
@pytest.mark.parametrize("of", ["show", "episode"])
def test_parts_are_the_same_from_months_and_from_days(episode: Episode, days: int, of: str) -> None:
    for days_ago in range(0, 110, 9):
        listen(episode, days_ago, app="Castro" if days_ago % 2 else "Overcast", country="")
    period = Period(TODAY - timedelta(days=days), TODAY)
    scope = scope_of(episode)
    if of == "episode":
        scope = Scope(show=episode.show_id, episode=episode.pk)

    found = charts.parts(scope, period, Dimension.APP)

    expected = {"Castro": 0, "Overcast": 0}
    for days_ago in range(0, days + 1, 9):
        expected["Castro" if days_ago % 2 else "Overcast"] += 1
    assert {part.value: part.downloads for part in found} == {
        name: count for name, count in expected.items() if count
    }
    assert charts.parts(scope, period, Dimension.COUNTRY) == [Part("", sum(expected.values()), 0)]


def test_websites_are_there_only_where_a_players_page_was_named(episode: Episode) -> None:
    listen(episode, 0, referrer="blog.example")
    listen(episode, 0, referrer="")
    period = Period.last_days(7, today=TODAY)

    assert charts.parts(scope_of(episode), period, Dimension.REFERRER) == [
        Part("blog.example", 1, 0)
    ]


def test_the_week_is_that_of_the_shows_zone(episode: Episode) -> None:
    # Sunday 23:00 in UTC is Monday in Berlin: at 0:00 in winter, at 1:00 in summer.
    for moment in (datetime(2026, 1, 11, 23, tzinfo=UTC), datetime(2026, 7, 12, 23, tzinfo=UTC)):
        store_download(episode, at=moment)
    period = Period(date(2026, 1, 12), date(2026, 7, 13))

    grid = charts.week(scope_of(episode), period, BERLIN)

    assert (grid[0][0], grid[0][1]) == (1, 1)
    assert sum(map(sum, grid)) == 2
    assert [len(row) for row in grid] == [24] * 7
    before = charts.week(scope_of(episode), Period(date(2026, 1, 1), date(2026, 1, 11)), BERLIN)
    assert sum(map(sum, before)) == 0


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("UTC", date(2026, 10, 11)),
        ("Europe/Berlin", date(2026, 10, 11)),
        ("America/Los_Angeles", date(2026, 10, 10)),
        ("Pacific/Auckland", date(2026, 10, 11)),
    ],
)
def test_a_day_is_open_as_long_as_a_day_of_utc_in_it_is(zone: str, first: date) -> None:
    assert last_expired_day(NOW) == date(2026, 10, 10)
    assert charts.first_open_day(NOW, ZoneInfo(zone)) == first


def test_months_of_listeners_have_no_gaps(episode: Episode) -> None:
    for month, count in ((8, 70), (10, 90)):
        MonthListeners.objects.create(
            organization=episode.organization,
            show=episode.show,
            month=date(2026, month, 1),
            sketch=empty(),
            listeners=count,
        )

    found = charts.listeners_of_months(scope_of(episode), Period(date(2026, 8, 20), TODAY))

    assert found == [
        MonthOfListeners(date(2026, 8, 1), 70),
        MonthOfListeners(date(2026, 9, 1), 0),
        MonthOfListeners(date(2026, 10, 1), 90),
    ]


def publish(episode: Episode, moment: datetime) -> tuple[Any, datetime]:
    Episode.objects.filter(pk=episode.pk).update(published_at=moment)
    return episode.pk, moment


def test_curves_rise_from_the_hour_of_publication_and_end_now(episode: Episode) -> None:
    published = publish(episode, NOW - timedelta(hours=30, minutes=20))
    begin = NOW.replace(minute=0) - timedelta(hours=30)
    for hours in (0, 0, 1, 29, 30):
        store_download(episode, at=begin + timedelta(hours=hours, minutes=50))
    store_download(episode, at=begin - timedelta(hours=3))  # a preview: part of the first hour

    [curve] = episode_curves.curves([published], show=episode.show_id, days=2, now=NOW)

    assert len(curve.points) == 48
    assert curve.points[:3] == (3, 4, 4)
    assert curve.points[28:32] == (4, 5, 6, None)


def test_no_more_curves_than_can_be_told_apart(episode: Episode) -> None:
    with pytest.raises(ValueError, match="at most 8"):
        episode_curves.curves([(episode.pk, NOW)] * 9, show=episode.show_id, days=2, now=NOW)


def drop(episode: Episode, reason: str, count: int, *, days_ago: int = 0) -> None:
    DropTally.objects.create(
        day=TODAY - timedelta(days=days_ago),
        organization=episode.organization,
        show=episode.show,
        episode=episode,
        reason=reason,
        count=count,
    )


def test_drops_are_told_by_day_with_what_waits_and_what_was_too_little(episode: Episode) -> None:
    second = EpisodeFactory(show=episode.show)
    drop(episode, DropReason.BOT, 5)
    drop(second, DropReason.BOT, 2)
    drop(episode, BELOW_THRESHOLD, 3, days_ago=1)
    listen(episode, 1, 1, held_address=b"a" * 16)
    listen(episode, 0)
    period = Period.last_days(2, today=TODAY)

    found = drop_days.drops_by_day(scope_of(episode), period)

    assert [((TODAY - each.day).days, each.reason, each.count) for each in found] == [
        (1, BELOW_THRESHOLD, 3),
        (1, QUARANTINED, 2),
        (0, DropReason.BOT, 7),
    ]


def test_downloads_beside_drops_are_those_of_the_day_of_utc(episode: Episode) -> None:
    store_download(episode, at=at(TODAY, 23) - timedelta(days=1))  # in Berlin it is today

    found = drop_days.downloads_by_utc_day(scope_of(episode), Period.last_days(2, today=TODAY))

    assert found == {TODAY - timedelta(days=1): 1, TODAY: 0}


def test_every_reason_is_explained() -> None:
    explained = explanations()
    assert {each.reason for each in explained} == {*DropReason, BELOW_THRESHOLD, QUARANTINED}
    assert all(each.what and each.source and each.advice for each in explained)


def test_a_table_is_written_for_programs_and_for_spreadsheets() -> None:
    table = Table([Column("day", "Day"), Column("count", "Count")], [(TODAY, 0), (TODAY, None)])
    assert table.records() == [
        {"day": "2026-10-14", "count": 0},
        {"day": "2026-10-14", "count": None},
    ]
    assert table.lines() == [["day", "count"], ["2026-10-14", 0], ["2026-10-14", None]]


YEAR = Period.last_days(366, today=TODAY)
QUERIES: list[Callable[[Scope, Episode], object]] = [
    lambda scope, episode: charts.windows(scope, today=TODAY),
    lambda scope, episode: charts.over_time(scope, YEAR, Grain.DAY),
    lambda scope, episode: charts.over_time(scope, YEAR, Grain.MONTH),
    lambda scope, episode: charts.first_day(scope),
    lambda scope, episode: charts.hours(scope, now=NOW, count=168),
    *(
        lambda scope, episode, dimension=dimension: charts.parts(scope, YEAR, dimension)
        for dimension in Dimension
        if dimension
    ),
    lambda scope, episode: charts.week(scope, YEAR, BERLIN),
    lambda scope, episode: charts.listeners_of_months(scope, YEAR),
    lambda scope, episode: drop_days.drops_by_day(scope, YEAR),
    lambda scope, episode: drop_days.downloads_by_utc_day(scope, YEAR),
    lambda scope, episode: episode_curves.curves(
        [(episode.pk, NOW)] * 8, show=episode.show_id, days=90, now=NOW
    ),
    lambda scope, episode: downloads_within(
        [(episode.pk, NOW)], show=episode.show_id, days=MILESTONE_DAYS, now=NOW
    ),
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("rows", [1, 20])
def test_each_chart_is_one_query_however_many_rows(
    query: Callable[[Scope, Episode], object],
    rows: int,
    episode: Episode,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(rows):
        listen(EpisodeFactory(show=episode.show), number * 7, app=f"App {number}")

    with django_assert_num_queries(1):
        query(scope_of(episode), episode)
