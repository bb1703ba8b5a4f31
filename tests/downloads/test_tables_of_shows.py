"""The tables of many shows at once are those that are asked for one by one."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.downloads import totals
from apps.downloads.episode_figures import all_time_of_episodes
from apps.downloads.models import DayTotal, Dimension, MonthTotal
from apps.downloads.tables_of_shows import ShowTables, tables_of_shows
from podcasts.models import Episode, Show
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, ShowFactory

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)
ZONES = ["UTC", "Pacific/Auckland", "America/New_York"]
# Sorted by other rules than bytes; "" is unknown.
NAMES = ["", "Overcast", "overcast", "Äther", "Zebra", "a b", "a-b", "ab", "Überall"]
LIMIT, GROWN = 3, 4

pytestmark = pytest.mark.django_db


def one_by_one(show: Show, today: date) -> ShowTables:
    scope, period = totals.Scope(show=show.id), totals.Period(today, today)
    lately = totals.Period(today - timedelta(days=1), today)
    grown = totals.top_episodes(scope, lately, limit=GROWN)
    return ShowTables(
        apps=totals.top_apps(scope, period, limit=LIMIT),
        countries=totals.top_countries(scope, period, limit=LIMIT),
        top_episodes=totals.top_episodes(scope, period, limit=LIMIT),
        grown=all_time_of_episodes(show=show.id, episodes=[one.id for one in grown]),
    )


def fill(episodes: Sequence[Episode], today: date, chance: random.Random) -> None:
    """Totals of few different sizes, 0 among them, so that most of them are equal to others."""
    for days in range(4):
        day = today - timedelta(days=days)
        of = {"organization_id": episodes[0].organization_id, "show_id": episodes[0].show_id}
        DayTotal.objects.bulk_create(
            DayTotal(
                **of, episode_id=episode, day=day, dimension=dimension, value=name, downloads=n
            )
            for episode in (None, *(one.id for one in episodes))
            for dimension in (Dimension.ALL, Dimension.APP, Dimension.COUNTRY, Dimension.DEVICE)
            for name in ([""] if dimension == Dimension.ALL else NAMES)
            if (n := chance.choice([None, 0, 1, 1, 2])) is not None
        )
    MonthTotal.objects.bulk_create(
        MonthTotal(
            **of, episode=one, month=month, dimension=Dimension.ALL, value="", downloads=downloads
        )
        for one in episodes
        for month in (date(2026, 9, 1), date(2026, 10, 1))
        if (downloads := chance.choice([None, 0, 3, 5])) is not None
    )


@pytest.mark.parametrize("seed", range(8))
def test_they_say_the_same_in_the_same_order_in_three_queries(
    seed: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    chance = random.Random(seed)
    todays = {}
    for zone, _ in zip(cycle(ZONES), range(5), strict=False):
        show = ShowFactory(time_zone=zone)
        today = todays[show] = NOON.astimezone(ZoneInfo(zone)).date()
        titles = chance.choices(["One", "one", "Öne", "Two"], k=12)  # ties of titles as well
        episodes = [EpisodeFactory(show=show, title=title) for title in titles]
        fill(episodes, today, chance)
        episodes[0].delete()
    todays[ShowFactory()] = NOON.date()

    with django_assert_num_queries(3):
        found = tables_of_shows(
            {show.id: today for show, today in todays.items()}, limit=LIMIT, grown=GROWN
        )

    assert found == {show.id: one_by_one(show, today) for show, today in todays.items()}
    assert max(len(tables.top_episodes) for tables in found.values()) == LIMIT
    assert max(len(tables.grown) for tables in found.values()) >= LIMIT


def test_a_counted_download_is_in_all_of_them() -> None:
    episode = EpisodeFactory()
    store_download(episode, at=NOON)

    tables = tables_of_shows({episode.show_id: NOON.date()}, limit=LIMIT, grown=GROWN)

    assert tables == {
        episode.show_id: ShowTables(
            apps=[totals.Share("Overcast", 1)],
            countries=[totals.Share("DE", 1)],
            top_episodes=[totals.Ranked(episode.id, episode.title, 1)],
            grown={episode.id: 1},
        )
    }
