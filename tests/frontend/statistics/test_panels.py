"""What single charts show: rankings, the week, listeners by month, reasons."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.downloads.models import DropTally, MonthListeners
from apps.downloads.rules import DropReason
from apps.downloads.sketch import empty
from apps.downloads.subject import Subject
from apps.downloads.totals import Period
from frontend.statistics.timelines import month_panel
from podcasts.models import Episode
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.factories import ShowFactory
from tests.frontend.statistics.reading import NOON, card, of_show, read, rows_of, texts, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


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


@pytest.mark.parametrize(
    ("at", "zone", "is_provisional"),
    [
        (datetime(2026, 3, 2, 12, tzinfo=UTC), "UTC", True),
        (datetime(2026, 3, 4, 1, tzinfo=UTC), "UTC", False),
        (datetime(2026, 3, 3, 23, tzinfo=UTC), "Pacific/Auckland", True),
        (datetime(2026, 3, 4, 1, tzinfo=UTC), "America/New_York", False),
    ],
)
def test_a_month_is_provisional_until_its_last_day_of_utc_is_closed(
    people: People, at: datetime, zone: str, is_provisional: bool
) -> None:
    """February's key days are destroyed 72 hours after the end of the 28th."""
    show = ShowFactory(organization=people.organization, time_zone=zone)
    subject = Subject(show, at)
    MonthListeners.objects.create(
        organization=people.organization,
        show=show,
        month=date(2026, 2, 1),
        sketch=empty(),
        listeners=12,
    )
    february = Period(date(2026, 2, 1), date(2026, 2, 28))

    plot = month_panel(subject, february).plot

    assert plot is not None
    assert plot.has_open is is_provisional


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
        "status": "provisional",
        "bot": "7",
        "probe": "0",
        "quarantined": "1",
    }
