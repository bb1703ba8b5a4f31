"""The dashboards of a show and of the platform: who sees them, and that they say what is true."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.core import valkey
from apps.downloads.models import DropTally
from apps.downloads.rules import DropReason
from frontend.show_figures import trend
from podcasts import urls
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory
from tests.live.making import download

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """Time stands still, so that page and polling can be compared whole."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def episode(people: People, noon: None) -> Episode:
    """An episode of the organisation, published four days ago."""
    return EpisodeFactory(
        show__organization=people.organization, published_at=NOON - timedelta(days=4)
    )


def dashboard(episode: Episode) -> str:
    return f"/studio/shows/{episode.show_id}/"


def read(client: Client, address: str) -> Any:
    """The page as a tree."""
    answer = client.get(address)
    assert answer.status_code == 200
    return html.fromstring(answer.content.decode())


def texts(tree: Any, xpath: str) -> list[str]:
    """What stands there, with single spaces."""
    return [" ".join(found.text_content().split()) for found in tree.xpath(xpath)]


def numbers(tree: Any, name: str) -> dict[str, int]:
    """The numbers that the script keeps current, by what ``name`` says of them."""
    return {found.get(name): int(found.get("data-value")) for found in tree.xpath(f"//*[@{name}]")}


def card(tree: Any, heading: str) -> Any:
    (found,) = tree.xpath(f'//section[@aria-labelledby="{heading}"]')
    return found


WHO = ["owner", "admin", "editor", "analyst", "staff", "stranger", "anonymous"]
MEMBERS_ONLY = [200, 200, 200, 200, 404, 404]
STAFF_ONLY = [404, 404, 404, 404, 200, 404]


@pytest.mark.parametrize(
    ("address", "answers"),
    [
        ("/studio/shows/{show}/", [*MEMBERS_ONLY, 302]),
        ("/studio/shows/{show}/downloads.csv", [*MEMBERS_ONLY, 302]),
        ("/api/v1/shows/{show}/live/state/", [*MEMBERS_ONLY, 401]),
        ("/platform/", [*STAFF_ONLY, 302]),
        ("/api/v1/platform/live/state/", [*STAFF_ONLY, 401]),
    ],
)
def test_figures_are_for_members_and_the_platforms_for_staff(
    people: People, episode: Episode, address: str, answers: list[int]
) -> None:
    target = address.format(show=episode.show_id)

    assert [people.client(who).get(target).status_code for who in WHO] == answers


def test_the_page_begins_with_what_polling_and_sockets_say(
    people: People, episode: Episode
) -> None:
    for days_ago in (0, 0, 3, 12, 40):
        download(episode, at=NOON - timedelta(days=days_ago), country="FR")
    owner = people.client("owner")

    tree = read(owner, dashboard(episode))
    polled = owner.get(f"/api/v1/shows/{episode.show_id}/live/state/").json()

    shown = numbers(tree, "data-live-value")
    assert shown == {name: polled[name] for name in shown}
    assert (shown["today"], shown["week"], shown["total"]) == (2, 3, 5)
    keys = tree.xpath("//*[@data-live-latest]/li/@data-key")
    assert keys == [row["id"] for row in polled["latest"]]
    assert numbers(tree, "data-live-episode") == polled["episodes"] == {str(episode.id): 5}
    (root,) = tree.xpath("//*[@data-live]")
    assert root.get("data-socket") == f"/live/shows/{episode.show_id}/"
    assert root.get("data-stream") == f"/api/v1/shows/{episode.show_id}/live"
    assert root.get("data-poll") == f"/api/v1/shows/{episode.show_id}/live/state/"


def test_todays_tables_begin_with_what_sockets_say(people: People, episode: Episode) -> None:
    other = EpisodeFactory(show=episode.show, published_at=NOON - timedelta(days=9))
    download(episode, country="FR", app="Overcast")
    download(episode, country="FR", app="")
    download(other, country="DE", app="Castro")
    download(episode, at=NOON - timedelta(days=1), country="GB")

    tree = read(people.client("analyst"), dashboard(episode))

    assert texts(tree, "//*[@data-live-episodes]/li") == [f"{episode.title}2", f"{other.title}1"]
    assert tree.xpath("//*[@data-live-episodes]//a/@href") == [
        f"{tree.xpath('string(//@data-live-link)')}{one.pk}/" for one in (episode, other)
    ]
    assert texts(tree, "//*[@data-live-countries]/li") == ["France2", "Germany1"]
    assert texts(tree, "//*[@data-live-apps]/li") == ["Unknown app1", "Castro1", "Overcast1"]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/studio/", "A day of each show ends at midnight in its own time zone."),
        ("/studio/episodes/{episode.pk}/", "Days end at midnight in Asia/Tokyo."),
        ("/studio/shows/{episode.show_id}/", "Days end at midnight in Asia/Tokyo."),
        ("/studio/shows/{episode.show_id}/statistics/", "Days end at midnight in Asia/Tokyo."),
        ("/studio/episodes/{episode.pk}/statistics/", "Days end at midnight in Asia/Tokyo."),
        ("/platform/", "Days end at midnight UTC."),
    ],
)
def test_every_page_with_a_today_says_whose_that_is(
    people: People, episode: Episode, address: str, sentence: str
) -> None:
    Show.objects.filter(pk=episode.show_id).update(time_zone="Asia/Tokyo")
    client = people.client("staff" if address == "/platform/" else "owner")

    assert sentence in read(client, address.format(episode=episode)).text_content()


def test_the_platforms_page_begins_with_what_polling_says(people: People, episode: Episode) -> None:
    download(episode, app="AntennaPod")
    download(EpisodeFactory())
    staff = people.client("staff")

    tree = read(staff, "/platform/")
    polled = staff.get("/api/v1/platform/live/state/").json()

    shown = numbers(tree, "data-live-value")
    assert shown == {name: polled[name] for name in shown}
    assert shown["today"] == 2
    assert texts(tree, "//*[@data-live-shows]/li/a") == [show["title"] for show in polled["shows"]]
    assert texts(tree, "//*[@data-live-apps]/li/span[1]") == [a["name"] for a in polled["apps"]]
    assert tree.xpath("//*[@data-live-latest]/li/@data-key") == [r["id"] for r in polled["latest"]]


def test_a_milestone_is_empty_until_its_days_have_passed(people: People, episode: Episode) -> None:
    published = NOON - timedelta(days=4)
    for after in (timedelta(hours=1), timedelta(hours=23), timedelta(days=2), timedelta(days=3.5)):
        download(episode, at=published + after)

    tree = read(people.client("analyst"), dashboard(episode))

    assert texts(tree, "//tbody/tr[.//@data-live-episode]/td")[1:] == ["2", "3", "—", "—", "—", "4"]


def test_breakdowns_name_apps_countries_devices_and_what_was_dropped(
    people: People, episode: Episode
) -> None:
    download(episode, app="AntennaPod", device="Android phone", country="FR")
    download(episode, app="", device="", country="")
    today = NOON.date()
    for days_ago, count in ((0, 7), (1, 2)):
        DropTally.objects.create(
            day=today - timedelta(days=days_ago),
            show=episode.show,
            episode=episode,
            reason=DropReason.BOT,
            count=count,
        )

    tree = read(people.client("owner"), dashboard(episode))

    names = ".//*[contains(@class, 'bars__name')]"
    assert set(texts(card(tree, "apps"), names)) == {"AntennaPod", "Unknown app"}
    assert set(texts(card(tree, "devices"), names)) == {"Android phone", "Unknown device"}
    assert set(texts(card(tree, "countries"), names)) == {"France", "Unknown"}
    assert texts(card(tree, "dropped"), names) == ["Known bot"]
    assert texts(card(tree, "dropped"), ".//*[contains(@class, 'bars__value')]")[0].startswith("9")


def test_a_chart_has_every_day_and_marks_new_episodes(people: People, episode: Episode) -> None:
    download(episode, at=NOON - timedelta(days=2))

    by_day = card(read(people.client("owner"), dashboard(episode)), "by-day")

    bars = by_day.xpath(".//rect/@data-value")
    assert len(bars) == 30
    assert bars[-3:] == ["1", "0", "0"]
    assert texts(by_day, ".//details//li") == [f"10 Oct {episode.title}"]
    assert "Days from 11 Oct are provisional" in by_day.text_content()


def test_a_show_without_episodes_is_told_to_publish_one(people: People) -> None:
    show = ShowFactory(organization=people.organization)

    for who, may_publish in (("editor", True), ("analyst", False)):
        tree = read(people.client(who), f"/studio/shows/{show.id}/")
        links = card(tree, "next").xpath(".//a/@href")
        assert (f"/studio/shows/{show.id}/episodes/new/" in links) is may_publish


def test_a_show_without_downloads_is_told_where_to_submit_its_feed(
    people: People, episode: Episode
) -> None:
    step = card(read(people.client("owner"), dashboard(episode)), "next")

    assert step.xpath(".//input/@value") == [urls.feed_url(episode.show.handle)]
    assert "https://podcastsconnect.apple.com/" in step.xpath(".//a/@href")


def test_a_show_with_downloads_needs_no_advice(people: People, episode: Episode) -> None:
    download(episode)

    tree = read(people.client("owner"), dashboard(episode))

    assert tree.xpath('//section[@aria-labelledby="next"]') == []


def test_the_daily_figures_are_a_table_for_spreadsheets(people: People, episode: Episode) -> None:
    download(episode, at=NOON - timedelta(days=4))
    download(episode)

    answer = people.client("analyst").get(f"/studio/shows/{episode.show_id}/downloads.csv")

    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == ["day", "downloads", "listeners", "status"]
    assert len(rows) == 1 + 366
    assert rows[-1] == ["2026-10-14", "1", "1", "provisional"]
    assert rows[-5] == ["2026-10-10", "1", "1", "final"]
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{episode.show.handle}-downloads.csv"'
    )


def queries(client: Client, address: str) -> int:
    """How many a page costs, once the session's caches are warm."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_more_episodes_cost_no_more_queries(people: People, episode: Episode) -> None:
    owner, staff = people.client("owner"), people.client("staff")
    download(episode)
    of_one = queries(owner, dashboard(episode)), queries(staff, "/platform/")

    for _ in range(19):
        download(EpisodeFactory(show=episode.show))
        download(EpisodeFactory())

    assert (queries(owner, dashboard(episode)), queries(staff, "/platform/")) == of_one
    assert len(read(owner, dashboard(episode)).xpath("//*[@data-live-episode]")) == 20


def test_the_table_of_episodes_is_paged(people: People, episode: Episode) -> None:
    EpisodeFactory.create_batch(25, show=episode.show)
    owner = people.client("owner")

    first = read(owner, dashboard(episode))
    second = read(owner, dashboard(episode) + "?page=2")

    assert len(first.xpath("//*[@data-live-episode]")) == 25
    assert second.xpath("//*[@data-live-episode]/@data-live-episode") == [str(episode.id)]


@pytest.mark.parametrize(
    ("count", "before", "delta"),
    [(0, 0, None), (5, 0, None), (5, 5, 0), (15, 10, 50), (5, 10, -50), (1, 3, -67)],
)
def test_a_trend_is_the_change_in_percent_against_the_period_before(
    count: int, before: int, delta: int | None
) -> None:
    assert trend(count, before, days=7, line=[]).delta == delta


def test_a_draft_is_not_in_the_table(people: People, episode: Episode) -> None:
    EpisodeFactory(show=episode.show, status="draft", published_at=None)

    tree = read(people.client("owner"), dashboard(episode))

    assert tree.xpath("//*[@data-live-episode]/@data-live-episode") == [str(episode.id)]


def test_totals_are_shown_while_valkey_is_away(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    download(episode)
    owner = people.client("owner")
    nobody_listens_there = redis.Redis(port=1, retry=Retry(NoBackoff(), 0))
    with monkeypatch.context() as patch:
        patch.setattr(valkey, "connection", lambda: nobody_listens_there)
        tree = read(owner, dashboard(episode))
        polled = owner.get(f"/api/v1/shows/{episode.show_id}/live/state/").json()

    assert numbers(tree, "data-live-value")["total"] == polled["total"] == 1
    assert (polled["listeners_now"], polled["bytes_per_second"]) == (0, 0)
    assert polled["epoch"] is None  # which is no recount: nobody knows
