"""The statistics pages: who sees them, that charts, tables and files say the same, and how fast."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html

from apps.downloads.models import DropTally, MonthListeners
from apps.downloads.rules import DropReason
from apps.downloads.sketch import empty
from podcasts.models import Episode
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, ShowFactory

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def episode(people: People, noon: None) -> Episode:
    """An episode of a show in Berlin, published nine days ago."""
    made: Episode = EpisodeFactory(
        show__organization=people.organization,
        show__time_zone="Europe/Berlin",
        title="The first",
        published_at=NOON - timedelta(days=9),
    )
    return made


def of_show(episode: Episode, rest: str = "") -> str:
    return f"/studio/shows/{episode.show_id}/statistics/{rest}"


def of_episode(episode: Episode, rest: str = "") -> str:
    return f"/studio/episodes/{episode.pk}/statistics/{rest}"


def read(client: Client, address: str, **headers: str) -> Any:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return html.fromstring(answer.content.decode())


def texts(tree: Any, xpath: str) -> list[str]:
    return [" ".join(found.text_content().split()) for found in tree.xpath(xpath)]


def card(tree: Any, name: str) -> Any:
    (found,) = tree.xpath(f'//section[@aria-labelledby="{name}-title"]')
    return found


def words(tree: Any) -> list[str]:
    """What the points of a chart say, in order."""
    return [
        title.text_content() for title in tree.xpath(".//*[@role='img']/*[local-name()='title']")
    ]


def rows_of(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


SHOW_CHARTS = (
    *("downloads", "hours", "week", "compare", "apps", "devices", "countries", "websites"),
    *("listeners", "episodes", "not-counted"),
)
EPISODE_CHARTS = SHOW_CHARTS[:8]


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("whose", ["show", "episode"])
def test_members_get_every_chart_as_a_file_and_nobody_else_does(
    people: People, episode: Episode, kind: str, whose: str
) -> None:
    address = of_show if whose == "show" else of_episode
    for chart in SHOW_CHARTS if whose == "show" else EPISODE_CHARTS:
        target = address(episode, f"{chart}.{kind}")
        assert people.client("analyst").get(target).status_code == 200, chart
        assert people.client("stranger").get(target).status_code == 404, chart
        assert people.client("staff").get(target).status_code == 404, chart


def test_what_is_no_chart_is_not_found(people: People, episode: Episode) -> None:
    client = people.client("owner")
    for target in (
        of_show(episode, "nonsense.csv"),
        of_show(episode, "downloads.xml"),
        of_episode(episode, "listeners.csv"),
        of_episode(episode, "not-counted.json"),
    ):
        assert client.get(target).status_code == 404


def test_chart_table_and_files_say_the_same(people: People, episode: Episode) -> None:
    store_download(episode, at=NOON - timedelta(days=8))
    store_download(episode, at=NOON, is_provisional=True)
    client = people.client("analyst")

    chart = card(read(client, of_show(episode, "?period=90")), "downloads")
    rows = rows_of(client, of_show(episode, "downloads.csv?period=90"))
    body = json.loads(client.get(of_show(episode, "downloads.json?period=90")).content)

    assert len(rows) == len(words(chart)) == len(chart.xpath(".//tbody/tr")) == 90
    assert rows[-9]["downloads"] == "1"
    assert (rows[-9]["status"], rows[-1]["status"]) == ("final", "provisional")
    assert rows[-1]["from_requests_only"] == "1"
    assert body["rows"][-1] == {
        "from": "2026-10-14",
        "to": "2026-10-14",
        "downloads": 1,
        "from_requests_only": 1,
        "status": "provisional",
        "listeners_on_utc_day": 1,
    }
    assert (body["chart"], body["time_zone"]) == ("downloads", "Europe/Berlin")
    assert words(chart)[-9] == "Tue, 6 Oct 2026\n1 download\n1 listener"
    assert words(chart)[-1].split("\n") == [
        "Wed, 14 Oct 2026",
        "1 download",
        "1 listener",
        "1 of them known from requests only",
        "Provisional: late reports can still raise it",
    ]
    assert "New: The first" in words(chart)[-10]


def test_days_are_those_of_the_shows_zone(people: People, episode: Episode) -> None:
    store_download(episode, at=datetime(2026, 10, 13, 22, 30, tzinfo=UTC))  # 0:30 in Berlin

    rows = rows_of(people.client("owner"), of_show(episode, "downloads.csv?period=7"))
    hours = rows_of(people.client("owner"), of_show(episode, "hours.csv"))

    assert [row["downloads"] for row in rows] == ["0"] * 6 + ["1"]
    assert [(row["hour"], row["hour_utc"]) for row in hours if row["downloads"] == "1"] == [
        ("2026-10-14T00:00:00+02:00", "2026-10-13T22:00:00+00:00")
    ]
    assert (len(hours), hours[-1]["hour_utc"]) == (48, "2026-10-14T12:00:00+00:00")


@pytest.mark.parametrize(
    ("query", "first", "last", "count"),
    [
        ("", "2026-09-15", "2026-10-14", 30),
        ("?period=nonsense", "2026-09-15", "2026-10-14", 30),
        ("?period=7", "2026-10-08", "2026-10-14", 7),
        ("?period=year", "2026-01-01", "2026-10-14", 42),  # weeks
        ("?period=year&by=month", "2026-01-01", "2026-10-14", 10),
        ("?period=year&by=day", "2026-01-01", "2026-10-14", 42),  # too many days to draw
        ("?period=all", "2025-08-01", "2026-10-14", 64),
        ("?from=2026-02-27&to=2026-03-02", "2026-02-27", "2026-03-02", 4),
        ("?from=2026-10-01&to=2027-10-01", "2026-10-01", "2026-10-14", 14),
    ],
)
def test_a_period_is_chosen(
    people: People, episode: Episode, query: str, first: str, last: str, count: int
) -> None:
    store_download(episode, at=datetime(2025, 8, 20, 12, tzinfo=UTC))

    rows = rows_of(people.client("owner"), of_show(episode, f"downloads.csv{query}"))

    assert (rows[0]["from"], rows[-1]["to"], len(rows)) == (first, last, count)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?from=2026-10-01", "Choose both days"),
        ("?from=x&to=2026-10-01", "Choose both days"),
        ("?from=2026-10-05&to=2026-10-01", "is after the last one"),
        ("?from=2027-01-01&to=2027-01-02", "has not begun yet"),
        ("?from=1999-01-01&to=2026-01-01", "at most ten years"),
    ],
)
def test_a_period_that_cannot_be_is_refused_with_a_sentence(
    people: People, episode: Episode, query: str, sentence: str
) -> None:
    tree = read(people.client("owner"), of_show(episode, query))
    assert sentence in tree.xpath("string(//*[@role='alert'])")
    assert len(words(card(tree, "downloads"))) == 30


def test_the_headline_compares_each_period_with_the_one_before(
    people: People, episode: Episode
) -> None:
    for days_ago in (0, 1, 8, 40):
        store_download(episode, at=NOON - timedelta(days=days_ago))

    tiles = texts(read(people.client("owner"), of_show(episode)), "//*[@class='stat']")

    assert tiles[0] == "Last 7 days 2 up100% against the 7 days before"
    assert tiles[1].startswith("Last 30 days 3 up200%")
    assert tiles[2] == "Last 90 days 4 none in the 90 days before"
    assert tiles[3].startswith("All time 4")


def test_the_table_of_first_days_is_sorted_and_what_is_not_over_comes_last(
    people: People, episode: Episode
) -> None:
    for title, days_ago, count in (("The first", 9, 1), ("A second", 8, 2), ("Fresh", 1, 3)):
        at = NOON - timedelta(days=days_ago)
        made = (
            episode
            if title == episode.title
            else EpisodeFactory(show=episode.show, title=title, published_at=at)
        )
        for _ in range(count):
            store_download(made, at=at + timedelta(hours=2))
    client = people.client("analyst")

    def titles(sort: str) -> list[str]:
        tree = read(client, of_show(episode, f"?sort={sort}"))
        return texts(card(tree, "episodes"), ".//tbody//a")

    assert titles("") == ["Fresh", "A second", "The first"]
    assert titles("published") == ["The first", "A second", "Fresh"]
    assert titles("title") == ["A second", "Fresh", "The first"]
    assert titles("-total") == ["Fresh", "A second", "The first"]
    assert titles("-first7") == ["A second", "The first", "Fresh"]
    assert titles("first7") == ["The first", "A second", "Fresh"]
    table = card(read(client, of_show(episode, "?sort=-first7")), "episodes")
    assert texts(table, ".//tbody/tr[1]/td")[2:] == ["2", "—", "—", "2"]
    assert texts(table, ".//tbody/tr[3]/td")[2:] == ["—", "—", "—", "3"]
    assert texts(table, ".//th[@aria-sort]") == ["7 days"]
    exported = rows_of(client, of_show(episode, "episodes.csv"))
    assert [(row["title"], row["first_7_days"]) for row in exported] == [
        ("Fresh", ""),
        ("A second", "2"),
        ("The first", "1"),
    ]


def test_episodes_are_compared_from_the_hour_of_their_publication(
    people: People, episode: Episode
) -> None:
    others = EpisodeFactory.create_batch(9, show=episode.show)
    store_download(episode, at=NOON - timedelta(days=9) + timedelta(hours=1, minutes=10))
    wanted = "&".join(f"compare={made.pk}" for made in [episode, *others])
    client = people.client("owner")

    few = rows_of(client, of_show(episode, f"compare.csv?compare={episode.pk}&days=2"))
    many = rows_of(client, of_show(episode, f"compare.csv?{wanted}"))
    page = card(read(client, of_show(episode, f"?{wanted}")), "compare")

    assert [row[str(episode.pk)] for row in few[:3]] == ["0", "1", "1"]
    assert (len(few), len(many)) == (48, 168)
    assert len(many[0]) == 1 + 8  # the hours, and no more curves than can be told apart
    assert len(page.xpath(".//input[@checked]")) == 8
    assert len(page.xpath(".//input[@disabled]")) == 2


def test_a_search_finds_episodes_to_compare(people: People, episode: Episode) -> None:
    others = EpisodeFactory.create_batch(
        4, show=episode.show, published_at=NOON - timedelta(days=1)
    )

    page = read(
        people.client("owner"),
        of_show(episode, f"?q=FIRST&compare={others[0].pk}&compare={others[1].pk}"),
        **{"HX-Request": "true", "HX-Target": "compare"},
    )

    labels = texts(page, "//label[input[@name='compare']]//*[contains(@class, 'truncate')]")
    assert labels[-1] == "The first"
    assert len(labels) == 2 + 1  # the chosen ones stay


def test_the_newest_episode_is_compared_with_whole_curves(people: People, episode: Episode) -> None:
    for title, days_ago in (("Now", 0), ("Too new", 5), ("Whole", 20)):
        EpisodeFactory(show=episode.show, title=title, published_at=NOON - timedelta(days=days_ago))

    tree = read(people.client("analyst"), of_show(episode, "?days=7"))

    checked = "//label[input[@checked]]//*[contains(@class, 'truncate')]"
    assert texts(tree, checked) == ["Now", "The first", "Whole"]


def test_an_episodes_page_compares_it_with_those_before(people: People, episode: Episode) -> None:
    before = EpisodeFactory(
        show=episode.show, title="Before", published_at=NOON - timedelta(days=20)
    )
    EpisodeFactory(show=episode.show, title="Later", published_at=NOON - timedelta(days=2))
    store_download(episode, at=NOON - timedelta(days=1))
    store_download(before, at=NOON - timedelta(days=1))

    tree = read(people.client("analyst"), of_episode(episode))

    checked = "//label[input[@checked]]//*[contains(@class, 'truncate')]"
    assert texts(tree, checked) == ["The first", "Before"]
    assert sum(1 for said in words(card(tree, "downloads")) if "1 download" in said) == 1
    assert tree.xpath("//section[@aria-labelledby='listeners-title']") == []


def test_rankings_name_what_is_known_and_what_is_not(people: People, episode: Episode) -> None:
    for country, app, referrer in [
        ("DE", "Overcast", ""),
        ("DE", "", "www.blog.example"),
        ("", "Castro", "blog.example"),
    ]:
        store_download(episode, at=NOON, country=country, app=app, referrer=referrer)
    client = people.client("owner")

    tree = read(client, of_show(episode))
    countries = rows_of(client, of_show(episode, "countries.csv"))

    assert texts(card(tree, "countries"), ".//li") == [
        "DEGermany 2 , 67 %",
        "Unknown 1 , 33 %",
    ]
    assert "Unknown app 1 , 33 %" in texts(card(tree, "apps"), ".//li")
    assert texts(card(tree, "websites"), ".//li") == ["blog.example 2 , 100 %"]
    assert [(row["country"], row["name"]) for row in countries] == [
        ("DE", "Germany"),
        ("", "Unknown"),
    ]


def test_the_week_is_a_table_with_every_hour(people: People, episode: Episode) -> None:
    store_download(episode, at=NOON)  # Wednesday, 14:00 in Berlin

    week = card(read(people.client("owner"), of_show(episode)), "week")

    cells = week.xpath(".//table[@class='heat']//td[@data-target]")
    assert len(cells) == 7 * 24
    assert [cell.get("title") for cell in cells if "--8" in cell.get("class")] == [
        "Wednesday, 14:00\n1 download"
    ]


def test_listeners_of_a_month_are_about_so_many(people: People, episode: Episode) -> None:
    store_download(episode, at=NOON)
    MonthListeners.objects.create(
        organization=people.organization,
        show=episode.show,
        month=NOON.date().replace(day=1),
        sketch=empty(),
        listeners=1234,
    )

    months = card(read(people.client("owner"), of_show(episode)), "listeners")

    assert words(months) == ["October 2026\nabout 1\u202f234 listeners"]


def test_reasons_are_explained_beside_the_downloads(people: People, episode: Episode) -> None:
    store_download(episode, at=NOON)
    for days_ago, reason, count in ((0, DropReason.BOT, 7), (1, DropReason.PROBE, 2)):
        DropTally.objects.create(
            day=(NOON - timedelta(days=days_ago)).date(),
            organization=people.organization,
            show=episode.show,
            episode=episode,
            reason=reason,
            count=count,
        )
    store_download(episode, at=NOON, held_address=b"a" * 16)
    client = people.client("analyst")

    tree = read(client, of_show(episode, "not-counted/?period=7"))
    rows = rows_of(client, of_show(episode, "not-counted.csv?period=7"))

    assert texts(tree, "//li[@class='reasons__row']//h3") == [
        "Known bot",
        "Asked for the first two bytes only",
        "Very many downloads from one address: waiting for review",
    ]
    assert texts(tree, "//*[@class='stat__value']") == ["1", "10"]
    assert words(tree)[-1] == "\n".join(
        [
            "Wed, 14 Oct 2026",
            "1 download",
            "Known bot: 7",
            "Very many downloads from one address: waiting for review: 1",
        ]
    )
    assert rows[-1] == {
        "day_utc": "2026-10-14",
        "downloads": "1",
        "bot": "7",
        "probe": "0",
        "quarantined": "1",
    }


def test_a_show_without_downloads_is_told_what_to_do(people: People, episode: Episode) -> None:
    tree = read(people.client("editor"), of_show(episode))
    assert "No downloads yet" in texts(tree, "//h2")
    assert tree.xpath(f"//section//a[@href='/studio/shows/{episode.show_id}/']")
    empty_show = ShowFactory(organization=people.organization)
    assert read(people.client("editor"), f"/studio/shows/{empty_show.pk}/statistics/") is not None
    draft = EpisodeFactory(show=empty_show, status="draft", published_at=None)
    unpublished = read(people.client("editor"), of_episode(draft))
    assert "isn’t published yet" in unpublished.text_content()


@pytest.mark.parametrize(
    ("part", "marker"),
    [("hours", "hours-title"), ("compare", "compare-title"), ("episodes", "episodes-title")],
)
def test_htmx_gets_only_the_part_that_it_replaces(
    people: People, episode: Episode, part: str, marker: str
) -> None:
    answer = people.client("owner").get(
        of_show(episode), headers={"HX-Request": "true", "HX-Target": part}
    )
    tree = html.fromstring(answer.content.decode())
    assert tree.get("id") == part
    assert tree.get("aria-labelledby") == marker
    assert {"HX-Request", "HX-Target"} <= set(answer.headers["Vary"].split(", "))


@pytest.mark.parametrize("page", ["", "not-counted/"])
def test_htmx_gets_the_period_without_the_frame(
    people: People, episode: Episode, page: str
) -> None:
    answer = people.client("owner").get(
        of_show(episode, f"{page}?period=7"),
        headers={"HX-Request": "true", "HX-Target": "statistics"},
    )
    tree = html.fromstring(answer.content.decode())
    assert tree.get("id") == "statistics"
    assert texts(tree, "//nav[@aria-label='Period']/a[@aria-current]") == ["7 days"]


def test_a_title_never_becomes_a_formula(people: People, episode: Episode) -> None:
    Episode.objects.filter(pk=episode.pk).update(title='=HYPERLINK("https://evil.example")')
    client = people.client("owner")

    [row] = rows_of(client, of_show(episode, "episodes.csv"))
    [record] = json.loads(client.get(of_show(episode, "episodes.json")).content)["rows"]

    assert row["title"].startswith("'=")
    assert record["title"].startswith("=")


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("sort", ["", "-total", "-first7"])
def test_more_episodes_cost_no_more_queries(people: People, episode: Episode, sort: str) -> None:
    client = people.client("owner")
    store_download(episode, at=NOON)
    pages = [
        of_show(episode, f"?sort={sort}"),
        of_show(episode, "not-counted/"),
        of_episode(episode),
    ]
    of_one = [queries(client, page) for page in pages]

    for number in range(19):
        made = EpisodeFactory(show=episode.show, published_at=NOON - timedelta(days=20 + number))
        store_download(made, at=NOON - timedelta(days=number))

    assert [queries(client, page) for page in pages] == of_one
