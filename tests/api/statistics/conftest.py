"""A show with something in every chart, at a moment that stands still."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from apps.downloads.drop_reasons import BELOW_THRESHOLD
from apps.downloads.models import DropTally, MonthListeners
from apps.downloads.rules import DropReason
from apps.downloads.sketch import empty
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.downloads.storing import store_download, store_downloads
from tests.factories import EpisodeFactory

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A show in Berlin with three episodes, the newest one first, and one of another show."""

    people: People
    episodes: list[Episode]
    elsewhere: Episode

    @property
    def show(self) -> Show:
        return self.episodes[0].show

    def address(self, whose: str, chart: str) -> str:
        """Of a chart of the show, of its newest episode, or of the organisation."""
        number = {
            "show": self.show.pk,
            "episode": self.episodes[0].pk,
            "organization": self.people.organization.pk,
        }[whose]
        return f"/api/v1/{whose}s/{number}/statistics/{chart}/"


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def world(people: People, noon: object, clean_valkey: None) -> World:
    """Apps, devices, countries and websites; what is provisional, and what was dropped."""
    first: Episode = EpisodeFactory(
        show__organization=people.organization,
        show__time_zone="Europe/Berlin",
        title="=The newest",
        published_at=NOON - timedelta(days=9, minutes=20),
    )
    episodes: list[Episode] = [
        first,
        EpisodeFactory(show=first.show, title="Before", published_at=NOON - timedelta(days=40)),
        EpisodeFactory(show=first.show, title="Oldest", published_at=NOON - timedelta(days=200)),
    ]
    _listen(episodes)
    elsewhere: Episode = EpisodeFactory(title="Elsewhere")
    store_download(elsewhere, at=NOON)
    for days_ago, reason, count in (
        (0, DropReason.BOT, 7),
        (0, BELOW_THRESHOLD, 30),
        (6, DropReason.BOT, 5),
        (50, DropReason.METHOD, 2),
    ):
        DropTally.objects.create(
            day=(NOON - timedelta(days=days_ago)).date(),
            organization=people.organization,
            show=first.show,
            episode=first,
            reason=reason,
            count=count,
        )
    for month, listeners in ((date(2025, 10, 1), 3), (date(2026, 10, 1), 1200)):
        MonthListeners.objects.create(
            organization=people.organization,
            show=first.show,
            month=month,
            sketch=empty(),
            listeners=listeners,
        )
    return World(people, episodes, elsewhere)


def _listen(episodes: list[Episode]) -> None:
    newest, before, oldest = episodes
    late = NOON.replace(hour=22, minute=30)  # after midnight in Berlin
    websites = ("www.example.org", "example.org", "open.spotify.com")
    store_downloads(
        newest,
        {"at": NOON - timedelta(days=9), "app": "Castro", "country": "AT"},
        {"at": late - timedelta(days=3), "device": "", "country": ""},
        {"at": NOON, "is_provisional": True},
        {"at": NOON - timedelta(hours=3), "app": "+1", "is_new_listener": False},
        *({"at": NOON - timedelta(days=1), "app": "", "referrer": host} for host in websites),
        {"at": NOON, "held_address": b"1" * 16},
    )
    store_downloads(before, *({"at": NOON - timedelta(days=days)} for days in (39, 38, 20, 0)))
    store_downloads(oldest, {"at": NOON - timedelta(days=199)})
