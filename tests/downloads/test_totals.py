"""The figures of dashboards, each from rows that were counted, each in one query."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from apps.core.clock import now
from apps.downloads import charts, totals
from apps.downloads.charts import Hour
from apps.downloads.closing import tally_unfinished
from apps.downloads.drop_days import Dropped, dropped
from apps.downloads.episode_figures import all_time
from apps.downloads.models import Coverage, Download, DropTally
from apps.downloads.totals import (
    PLATFORM,
    DayTotal,
    Headline,
    Period,
    Ranked,
    Scope,
    Share,
)
from podcasts.models import Episode
from podcasts.services.trash import empty_trash
from tests.downloads.storing import store_coverage, store_download
from tests.factories import EpisodeFactory, ShowFactory

pytestmark = pytest.mark.django_db

TODAY = date(2026, 10, 14)
NOW = datetime(2026, 10, 14, 15, 45, tzinfo=UTC)


def listen(
    episode: Episode,
    *,
    days_ago: int = 0,
    hour: int = 12,
    state: str = "counted",
    **fields: Any,
) -> Download | Coverage:
    day = TODAY - timedelta(days=days_ago)
    first_at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    if state == "open":
        served = {"served": [(0, 1000)]} | fields
        return store_coverage(episode, at=first_at, **served)
    if state == "quarantined":
        fields["held_address"] = b"a" * 16
    return store_download(episode, at=first_at, **fields)


@pytest.fixture
def episode() -> Episode:
    """One episode, beside another show that was downloaded as well."""
    other = EpisodeFactory(show=ShowFactory(title="Elsewhere"), title="Other")
    for _ in range(3):
        listen(other, app="Castro", country="FR")
    made: Episode = EpisodeFactory(show=ShowFactory(title="Ours"), title="One")
    return made


def of_show(episode: Episode) -> Scope:
    return Scope(show=episode.show_id)


def test_the_headline_compares_each_period_with_the_one_before(episode: Episode) -> None:
    for days_ago in (0, 1, 6, 7, 13, 14, 29, 30, 59, 60):
        listen(episode, days_ago=days_ago)
    listen(episode, state="open")
    listen(episode, state="quarantined")

    assert totals.headline(of_show(episode), today=TODAY) == Headline(
        today=1, yesterday=1, last_7=3, previous_7=2, last_30=7, previous_30=2
    )


def test_every_day_of_a_period_is_there_with_its_listeners(episode: Episode) -> None:
    second = EpisodeFactory(show=episode.show)
    listen(episode, days_ago=2, is_new_listener=True)
    listen(second, days_ago=2, is_new_listener=False)
    listen(second, days_ago=2, is_new_listener=True)

    assert totals.daily(of_show(episode), Period.last_days(3, today=TODAY)) == [
        DayTotal(TODAY - timedelta(days=2), downloads=3, listeners=2),
        DayTotal(TODAY - timedelta(days=1), 0, 0),
        DayTotal(TODAY, 0, 0),
    ]


def test_the_last_hours_are_there_with_the_current_one(episode: Episode) -> None:
    for hour in (15, 15, 13):
        listen(episode, hour=hour)
    listen(episode, days_ago=1, hour=16)
    listen(episode, days_ago=1, hour=15)  # 24 hours ago is over

    found = charts.hours(of_show(episode), now=NOW, count=24)

    assert len(found) == 24
    assert found[0] == Hour(datetime(2026, 10, 13, 16, tzinfo=UTC), 1, 0)
    assert [hour.downloads for hour in found[-3:]] == [1, 0, 2]
    assert sum(hour.downloads for hour in found) == 4
    assert len(charts.hours(of_show(episode), now=NOW, count=48)) == 48


def test_tables_are_sorted_and_cut(episode: Episode) -> None:
    for app, country, device in [
        ("Castro", "DE", "iPad"),
        ("Castro", "AT", "iPad"),
        ("", "AT", ""),
    ]:
        listen(episode, app=app, country=country, device=device)
    period, scope = Period.last_days(7, today=TODAY), of_show(episode)

    assert totals.top_apps(scope, period) == [Share("Castro", 2), Share("", 1)]
    assert totals.top_countries(scope, period) == [Share("AT", 2), Share("DE", 1)]
    assert totals.top_devices(scope, period, limit=1) == [Share("iPad", 2)]


def test_the_platform_ranks_shows_and_episodes(episode: Episode) -> None:
    listen(episode)
    period = Period.last_days(1, today=TODAY)
    other = Download.objects.exclude(show=episode.show_id).select_related("show").first()
    assert other is not None

    assert totals.top_shows(PLATFORM, period) == [
        Ranked(other.show_id, "Elsewhere", 3),
        Ranked(episode.show_id, "Ours", 1),
    ]
    assert totals.top_episodes(PLATFORM, period, limit=1) == [Ranked(other.episode_id, "Other", 3)]


def test_an_organisation_sees_its_own(episode: Episode) -> None:
    listen(episode)
    scope = Scope(organization=episode.organization_id)

    assert totals.headline(scope, today=TODAY).today == 1
    assert totals.headline(Scope(show=episode.show_id, episode=episode.id), today=TODAY).today == 1
    assert totals.headline(PLATFORM, today=TODAY).today == 4


def test_the_latest_downloads_come_first(episode: Episode) -> None:
    for hour in (10, 12, 11):
        listen(episode, hour=hour)
    listen(episode, hour=14, state="quarantined")

    found = totals.latest(of_show(episode), limit=2)

    assert [line.at.hour for line in found] == [12, 11]
    assert (found[0].show_title, found[0].episode_title, found[0].app) == (
        "Ours",
        "One",
        "Overcast",
    )


def test_drop_reasons_include_what_is_kept_but_no_download(episode: Episode) -> None:
    for reason, count in [("bot", 5), ("probe", 2)]:
        DropTally.objects.create(
            day=TODAY,
            organization=episode.organization,
            show=episode.show,
            episode=episode,
            reason=reason,
            count=count,
        )
    DropTally.objects.create(day=TODAY, reason="malformed", count=9)
    listen(episode)
    listen(episode, state="open")
    for _ in range(3):
        listen(episode, state="quarantined")
    # Another version of a file that was counted already is neither open nor dropped.
    listen(episode, state="open", served=[(0, 2_000_000)])
    tally_unfinished(TODAY)
    period = Period.last_days(1, today=TODAY)

    found = dropped(of_show(episode), period)

    assert [(line.reason, line.count) for line in found] == [
        ("bot", 5),
        ("quarantined", 3),
        ("probe", 2),
        ("below_threshold", 1),
    ]
    assert found[0] == Dropped("bot", "Known bot", 5)
    organization = Scope(organization=episode.organization_id)
    assert dropped(organization, period) == found
    assert ("malformed", 9) in [(line.reason, line.count) for line in dropped(PLATFORM, period)]


@pytest.mark.parametrize("what", ["episode", "show"])
@pytest.mark.usefixtures("clean_valkey")
def test_what_was_counted_outlives_the_emptied_trash(episode: Episode, what: str) -> None:
    listen(episode)
    listen(EpisodeFactory(show=episode.show))
    DropTally.objects.create(
        day=TODAY,
        organization=episode.organization,
        show=episode.show,
        episode=episode,
        reason="bot",
        count=5,
    )
    deleted = episode if what == "episode" else episode.show
    deleted.deleted_at = now() - settings.TRASH_LIFETIME - timedelta(minutes=1)
    deleted.save(update_fields=["deleted_at"])
    assert empty_trash() == 1

    period = Period.last_days(1, today=TODAY)
    for scope in (Scope(organization=episode.organization_id), of_show(episode)):
        assert totals.headline(scope, today=TODAY).today == 2
        assert dropped(scope, period) == [Dropped("bot", "Known bot", 5)]
        remaining = 1 if what == "episode" else 0
        assert len(totals.top_episodes(scope, period)) == remaining
        assert len(totals.latest(scope)) == remaining
    assert all_time(of_show(episode)) == 2


WEEK = Period.last_days(7, today=TODAY)
QUERIES: list[Callable[[Scope], object]] = [
    lambda scope: totals.headline(scope, today=TODAY),
    lambda scope: totals.daily(scope, WEEK),
    lambda scope: charts.hours(scope, now=NOW, count=24),
    lambda scope: totals.top_episodes(scope, WEEK),
    lambda scope: totals.top_shows(scope, WEEK),
    lambda scope: totals.top_apps(scope, WEEK),
    lambda scope: totals.latest(scope),
    lambda scope: dropped(scope, WEEK),
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("rows", [0, 1, 20])
def test_each_figure_is_one_query_however_many_rows(
    query: Callable[[Scope], object],
    rows: int,
    episode: Episode,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(rows):
        listen(EpisodeFactory(show=episode.show))

    with django_assert_num_queries(1):
        query(of_show(episode))


@pytest.mark.parametrize("table", ["downloads_daytotal", "downloads_monthtotal"])
def test_pages_of_totals_have_room_for_updates(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [table])
        assert cursor.fetchone() == (["fillfactor=85"],)
