"""Every number that a chart draws is reached without a pointer: by arrow keys and in a table."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from lxml import html

from apps.core import valkey
from apps.downloads import minutes
from apps.downloads.models import DropTally, MonthListeners
from apps.downloads.rules import DropReason
from apps.downloads.sketch import empty
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.live.making import download, new_download

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)
# Who sees it, its address, and how many charts it has.
PAGES = [
    ("owner", "/studio/", 1),
    ("owner", "/studio/shows/{show}/", 3),
    ("owner", "/studio/episodes/{episode}/", 1),
    ("owner", "/studio/shows/{show}/statistics/", 5),
    ("owner", "/studio/shows/{show}/statistics/?hours=168&period=all&by=month&days=2", 5),
    ("owner", "/studio/shows/{show}/statistics/not-counted/", 1),
    ("owner", "/studio/episodes/{episode}/statistics/", 4),
    ("staff", "/platform/", 3),
]
# "1 download", "Title: 12", "about 3 listeners", "2 of them known from requests only".
_COUNT = re.compile(r"^(?:.*: |about )?([\d\u202f]+)(?: |$)")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def episode(people: People, noon: None) -> Episode:
    """An episode of which every chart has something to draw."""
    made: Episode = EpisodeFactory(
        show__organization=people.organization, published_at=NOON - timedelta(days=100)
    )
    for ago, count in ((0, 3), (7, 2), (90, 4), (60 * 40, 1), (60 * 24 * 99, 5)):
        for _ in range(count):
            download(made, at=NOON - timedelta(minutes=ago), country="FR")
    DropTally.objects.create(
        day=NOON.date(), show_id=made.show_id, reason=DropReason.BOT, count=1234
    )
    MonthListeners.objects.create(
        organization_id=made.organization_id,
        show_id=made.show_id,
        month=NOON.date().replace(day=1),
        sketch=empty(),
        listeners=1234,
    )
    count_in_minutes(made, {0: 3, 7: 2, 59: 1})
    return made


def count_in_minutes(episode: Episode, counts: dict[int, int]) -> None:
    """As the counter does: so many downloads, so many minutes ago."""
    downloads = [
        new_download(episode)._replace(at=NOON - timedelta(minutes=ago))
        for ago, count in counts.items()
        for _ in range(count)
    ]
    minutes.store(
        valkey.connection(), minutes.count_minutes(downloads), tenants={episode.organization_id}
    )


def charts_of(people: People, episode: Episode, who: str, address: str) -> list[Any]:
    client: Client = people.client(who)
    answer = client.get(address.format(show=episode.show_id, episode=episode.pk))
    assert answer.status_code == 200
    tree: Any = html.fromstring(answer.content.decode())
    for drawing in tree.xpath(
        "//svg[not(ancestor::svg)][not(@aria-hidden='true')][.//rect or .//path]"
    ):
        assert drawing.xpath("ancestor::*[@data-plot]"), "a drawing that keys don't walk"
    return list(tree.xpath("//*[@data-plot]"))


def counts_in(target: Any) -> set[str]:
    """The numbers that a point of a chart says."""
    _, *lines = (target.get("title") or target.text_content()).split("\n")
    found = (_COUNT.match(line) for line in lines if not line.startswith("New: "))
    return {match[1].replace("\u202f", " ") for match in found if match}


def rows_beside(chart: Any) -> list[set[str]]:
    """The cells of each line of the tables that a person can unfold in the chart's own card."""
    (card,) = chart.xpath("ancestor-or-self::*[self::section or contains(@class, 'card')][1]")
    rows = card.xpath(
        ".//details[summary]//table//tr[not(ancestor::*[@hidden or @aria-hidden='true' "
        "or contains(@class, 'visually-hidden')])]"
    )
    return [{" ".join(cell.text_content().split()) for cell in row} for row in rows]


@pytest.mark.parametrize(("who", "address", "charts"), PAGES, ids=[page[1] for page in PAGES])
def test_each_number_of_a_chart_is_walked_to_and_stands_in_a_table(
    people: People, episode: Episode, who: str, address: str, charts: int
) -> None:
    found = charts_of(people, episode, who, address)
    assert len(found) == charts
    for chart in found:
        rows = rows_beside(chart)
        targets = chart.xpath(".//*[contains(@class, 'plot__target') or @data-target]")
        bars = chart.xpath(".//rect[@data-value or contains(@class, 'hour__bar')]")
        said = [counts_in(target) for target in targets]
        assert any(counts != {"0"} for counts in said), "a chart of nothing"
        assert not bars or len(bars) == len(targets)
        for counts in said:
            assert counts
            assert any(counts <= row for row in rows), counts
