"""Which days a page is about, and whose days they are."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apps.downloads.models import DropTally
from podcasts.models import Episode
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.factories import ShowFactory
from tests.frontend.statistics.reading import NOON, card, of_show, read, rows_of, texts, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


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
        ("?from=0001-01-01&to=0001-02-01", "from 2000 on"),
        ("?from=1999-12-31&to=2000-02-01", "from 2000 on"),
    ],
)
def test_a_period_that_cannot_be_is_refused_with_a_sentence(
    people: People, episode: Episode, query: str, sentence: str
) -> None:
    tree = read(people.client("owner"), of_show(episode, query))
    assert sentence in tree.xpath("string(//*[@role='alert'])")
    assert len(words(card(tree, "downloads"))) == 30


@pytest.mark.parametrize(
    ("zone", "hour", "last"),
    [("Pacific/Auckland", 12, "2026-10-14"), ("America/New_York", 2, "2026-10-14")],
    ids=["tomorrow there", "yesterday there"],
)
def test_what_was_not_counted_is_of_days_of_utc_up_to_today(
    people: People, noon: time_machine.Traveller, zone: str, hour: int, last: str
) -> None:
    noon.move_to(NOON.replace(hour=hour))
    show = ShowFactory(organization=people.organization, time_zone=zone)
    DropTally.objects.create(
        day=NOON.date(), organization=people.organization, show=show, reason="bot", count=3
    )
    owner = people.client("owner")

    rows = rows_of(owner, f"/studio/shows/{show.pk}/statistics/not-counted.csv?period=7")
    page = read(owner, f"/studio/shows/{show.pk}/statistics/not-counted/?period=7")
    dashboard = read(owner, f"/studio/shows/{show.pk}/")

    assert [(row["day_utc"], row["bot"]) for row in rows][-1] == (last, "3")
    assert set(page.xpath("//input[@type='date']/@max")) == {last}
    assert texts(dashboard, "//section[@aria-labelledby='dropped']//li") == [
        "Known bot 3 (100 percent)"
    ]


@pytest.mark.parametrize(
    ("page", "form", "names"),
    [
        ("", "periods__form", {"compare", "days", "hours", "sort"}),
        ("", "compare__form", {"period", "by", "hours", "sort", "page"}),
        ("not-counted/", "periods__form", {"compare", "days", "hours", "sort"}),
    ],
)
def test_a_form_keeps_what_else_was_chosen(
    people: People, episode: Episode, page: str, form: str, names: set[str]
) -> None:
    query = f"?period=90&by=week&hours=168&sort=title&page=1&q=a&days=7&compare={episode.pk}"

    tree = read(people.client("owner"), of_show(episode, page + query))

    hidden = tree.xpath(f"//form[@class='{form}']//input[@type='hidden']")
    kept = {field.get("name"): field.get("value") for field in hidden}
    assert names <= set(kept)
    assert kept.get("period", "90") == "90"
    visible = tree.xpath(f"//form[@class='{form}']//input[not(@type='hidden')]/@name")
    assert not set(kept) & set(visible)


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
