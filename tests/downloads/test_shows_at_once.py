"""The figures of many shows at once are those that are asked for one by one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.downloads import totals
from apps.downloads.episode_figures import all_time
from apps.downloads.shows_at_once import figures_of_shows
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, ShowFactory

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)
LATEST = 3

pytestmark = pytest.mark.django_db


def test_they_say_the_same_in_three_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    todays = {}
    for number, zone in enumerate(["UTC", "Pacific/Auckland", "America/New_York", "UTC"]):
        show = ShowFactory(time_zone=zone)
        todays[show.id] = NOON.astimezone(ZoneInfo(zone)).date()
        for days in range(0, 45, 4 + number):
            store_download(EpisodeFactory(show=show), at=NOON - timedelta(days=days))
        store_download(EpisodeFactory(show=show), at=NOON, held_address=b"x" * 32)
    nobodys = ShowFactory()
    todays[nobodys.id] = NOON.date()

    with django_assert_num_queries(2 + 2):  # in Auckland it is tomorrow
        found = figures_of_shows(todays, latest=LATEST)

    assert set(found) == set(todays)
    for show_id, today in todays.items():
        scope, figures = totals.Scope(show=show_id), found[show_id]
        headline = totals.headline(scope, today=today)
        assert figures.today == headline.today
        assert (figures.last_7, figures.last_30) == (headline.last_7, headline.last_30)
        assert figures.total == all_time(scope)
        assert figures.latest == totals.latest(scope, limit=LATEST)
    assert found[nobodys.id].total == 0


def test_a_deleted_episodes_downloads_have_no_name_and_stay_in_the_total() -> None:
    episode = EpisodeFactory()
    store_download(episode, at=NOON)
    show_id = episode.show_id
    episode.delete()

    figures = figures_of_shows({show_id: NOON.date()}, latest=LATEST)[show_id]

    assert (figures.total, figures.latest) == (1, [])
