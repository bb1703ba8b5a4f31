"""Charts as files: who gets them, and that they say what the chart says."""

import json
from datetime import date, timedelta

import pytest

from apps.downloads.models import DropTally
from apps.downloads.rules import DropReason
from podcasts.models import Episode
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.frontend.statistics.reading import NOON, card, of_episode, of_show, read, rows_of, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]

SHOW_CHARTS = (
    *("headline", "downloads", "hours", "week", "compare"),
    *("apps", "devices", "countries", "websites"),
    *("listeners", "episodes", "not-counted"),
)

EPISODE_CHARTS = SHOW_CHARTS[:9]


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


def test_the_headline_is_a_file_as_well(people: People, episode: Episode) -> None:
    for days in (8, 2, 2):
        store_download(episode, at=NOON - timedelta(days=days))
    assert rows_of(people.client("analyst"), of_show(episode, "headline.csv")) == [
        {"days": "7", "downloads": "2", "before": "1"},
        {"days": "30", "downloads": "3", "before": "0"},
        {"days": "90", "downloads": "3", "before": "0"},
    ]


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


def test_a_title_never_becomes_a_formula(people: People, episode: Episode) -> None:
    Episode.objects.filter(pk=episode.pk).update(title='=HYPERLINK("https://evil.example")')
    client = people.client("owner")

    [row] = rows_of(client, of_show(episode, "episodes.csv"))
    [record] = json.loads(client.get(of_show(episode, "episodes.json")).content)["rows"]

    assert row["title"].startswith("'=")
    assert record["title"].startswith("=")


@pytest.mark.parametrize(
    ("chart", "query", "period"),
    [
        ("downloads", "?period=7", ("2026-10-08", "2026-10-14")),
        ("apps", "?from=2026-09-01&to=2026-09-03", ("2026-09-01", "2026-09-03")),
        ("week", "?period=30", ("2026-09-15", "2026-10-14")),
        ("not-counted", "?period=7", ("2026-10-08", "2026-10-14")),
        ("listeners", "?period=7", ("2025-10-15", "2026-10-14")),
        *((chart, "", None) for chart in ("hours", "compare", "episodes")),
    ],
)
def test_each_file_says_of_which_days_it_is_and_which_may_still_change(
    people: People, episode: Episode, chart: str, query: str, period: tuple[str, str] | None
) -> None:
    body = people.client("analyst").get(of_show(episode, f"{chart}.json{query}")).json()
    assert body["period"] == (dict(zip(("from", "to"), period, strict=True)) if period else None)
    # The 11th is open in UTC until noon of the 15th; in Berlin it began on the 11th too.
    assert body["provisional_from"] == "2026-10-11"


@pytest.mark.parametrize(
    ("chart", "query", "statuses"),
    [
        ("hours", "?hours=168", ["final"] * (168 - 85) + ["provisional"] * 85),
        ("hours", "", ["provisional"] * 48),
        ("not-counted", "?period=7", ["final"] * 3 + ["provisional"] * 4),
        ("not-counted", "?from=2026-09-01&to=2026-09-02", ["final"] * 2),
        ("downloads", "?period=7", ["final"] * 3 + ["provisional"] * 4),
    ],
)
def test_hours_and_days_say_whether_they_are_final(
    people: People, episode: Episode, chart: str, query: str, statuses: list[str]
) -> None:
    rows = rows_of(people.client("analyst"), of_show(episode, f"{chart}.csv{query}"))
    assert [row["status"] for row in rows] == statuses


@pytest.mark.parametrize(
    ("address", "said", "unsaid"),
    [
        ("", "From 11 Oct on they are provisional", "All of these are"),
        ("?from=2026-10-12&to=2026-10-14", "All of these are provisional", "are final"),
        ("?from=2026-09-12&to=2026-10-10", "All of these are final", "they are provisional"),
        ("?hours=168", "Hours from midnight UTC of 11 Oct on are provisional", "these hours"),
        ("?hours=48", "All of these hours are provisional", "Hours from midnight"),
        ("not-counted/", "downloaded from 11 Oct on may still change", "days are final"),
        ("not-counted/?from=2026-09-12&to=2026-10-10", "days are final", "may still change"),
    ],
)
def test_pages_say_what_may_still_change_only_where_something_may(
    people: People, episode: Episode, address: str, said: str, unsaid: str
) -> None:
    DropTally.objects.create(
        day=date(2026, 10, 1), show_id=episode.show_id, reason=DropReason.BOT, count=7
    )
    tree = read(people.client("owner"), of_show(episode, address))
    words = " ".join(tree.text_content().split())
    assert said in words
    assert unsaid not in words.replace("Earlier ones are final", "")


def test_hours_that_may_still_change_look_different_where_others_are_final(
    people: People, episode: Episode
) -> None:
    for days_ago in (1, 5):
        store_download(episode, at=NOON - timedelta(days=days_ago))
    client = people.client("owner")

    def looks(hours: int) -> list[bool]:
        chart = card(read(client, of_show(episode, f"?hours={hours}")), "hours")
        bars = chart.xpath(".//rect[@height != '12'][contains(@class, 'plot__bar')]")
        return ["plot__bar--open" in bar.get("class") for bar in bars if bar.get("height") != "11"]

    assert looks(168) == [False, True]
    assert looks(48) == [False]
