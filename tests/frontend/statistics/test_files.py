"""Charts as files: who gets them, and that they say what the chart says."""

import json
from datetime import timedelta

import pytest

from podcasts.models import Episode
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.frontend.statistics.reading import NOON, card, of_episode, of_show, read, rows_of, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]

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


def test_a_title_never_becomes_a_formula(people: People, episode: Episode) -> None:
    Episode.objects.filter(pk=episode.pk).update(title='=HYPERLINK("https://evil.example")')
    client = people.client("owner")

    [row] = rows_of(client, of_show(episode, "episodes.csv"))
    [record] = json.loads(client.get(of_show(episode, "episodes.json")).content)["rows"]

    assert row["title"].startswith("'=")
    assert record["title"].startswith("=")
