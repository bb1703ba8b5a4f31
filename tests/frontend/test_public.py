"""The public site: who sees what without signing in, and what the pages say about it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html
from pytest_django import Settings

from apps.core.clock import now
from apps.downloads.user_agents.current import updated_file
from apps.downloads.user_agents.entries import OWN_LISTS, read_lists
from apps.downloads.user_agents.store import write_lists
from podcasts.models import Episode, EpisodeStatus, Handle, Show, ShowType
from tests.factories import EpisodeFactory, ShowFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def show(db: None) -> Show:
    """A show with its public page at /shows/harbour/."""
    return ShowFactory(handle="harbour", title="Harbour & Co")


def look(client: Client, address: str) -> Callable[[str], list[Any]]:
    """What an XPath expression finds on a page."""
    return cast("Callable[[str], list[Any]]", html.fromstring(client.get(address).content).xpath)


def episode(show: Show, **fields: object) -> Episode:
    """An episode of it."""
    return EpisodeFactory(show=show, **fields)


HIDDEN = {
    "a draft": {"status": EpisodeStatus.DRAFT},
    "an unpublished one": {"status": EpisodeStatus.UNPUBLISHED},
    "one that is due tomorrow": {
        "status": EpisodeStatus.SCHEDULED,
        "published_at": now() + timedelta(days=1),
    },
    "one in the trash": {"deleted_at": now()},
}


@pytest.mark.parametrize("fields", HIDDEN.values(), ids=HIDDEN)
def test_what_is_not_public_is_neither_listed_nor_found(
    show: Show, client: Client, fields: dict[str, object]
) -> None:
    episode(show, title="Now playing", slug="now")
    episode(show, title="Not yet", slug="hidden", **fields)
    page = client.get("/shows/harbour/").content.decode()
    assert "Now playing" in page
    assert "Not yet" not in page
    assert client.get("/shows/harbour/hidden/").status_code == 404
    assert client.get("/shows/harbour/now/").status_code == 200


def test_a_scheduled_episode_is_public_from_its_time_on(show: Show, client: Client) -> None:
    """However late the job is that turns its status."""
    fields = {"status": EpisodeStatus.SCHEDULED, "published_at": now() - timedelta(seconds=1)}
    episode(show, slug="due", **fields)
    assert client.get("/shows/harbour/due/").status_code == 200


def test_an_old_handle_redirects_for_ever(show: Show, client: Client) -> None:
    Handle.objects.create(handle="quay", show=show)
    episode(show, slug="one")
    for old, new in [
        ("/shows/quay/", "/shows/harbour/"),
        ("/shows/quay/one/", "/shows/harbour/one/"),
        ("/shows/Harbour/", "/shows/harbour/"),
    ]:
        response = client.get(old)
        assert (response.status_code, response["Location"]) == (301, new)


def test_a_show_in_the_trash_is_gone(show: Show, client: Client) -> None:
    show.deleted_at = now()
    show.save()
    assert client.get("/shows/harbour/").status_code == 404


def test_a_serial_show_begins_with_its_first_episode(show: Show, client: Client) -> None:
    for day, title in [(3, "First"), (2, "Second"), (1, "Third")]:
        episode(show, title=title, published_at=now() - timedelta(days=day))

    def titles() -> list[str]:
        page = look(client, "/shows/harbour/")
        return [link.text_content() for link in page("//li[@class='episode']/h3/a")]

    assert titles() == ["Third", "Second", "First"]
    show.type = ShowType.SERIAL
    show.save()
    assert titles() == ["First", "Second", "Third"]


def test_the_show_page_costs_the_same_with_one_episode_and_with_twenty(
    show: Show, client: Client
) -> None:
    episode(show)
    with CaptureQueriesContext(connection) as with_one:
        client.get("/shows/harbour/")
    for _ in range(19):
        episode(show)
    with CaptureQueriesContext(connection) as with_twenty:
        page = look(client, "/shows/harbour/")
    assert len(page("//li[@class='episode']")) == 20
    assert len(with_twenty) == len(with_one)


def test_a_long_list_is_paged(show: Show, client: Client) -> None:
    for _ in range(26):
        episode(show)
    first = look(client, "/shows/harbour/")
    assert len(first("//li[@class='episode']")) == 25
    address = first("//a[@rel='next']/@href")[0]
    second = look(client, f"/shows/harbour/{address}")
    assert len(second("//li[@class='episode']")) == 1
    assert not second("//a[@rel='next']")


def test_the_episode_page_plays_and_downloads_what_the_feed_names(
    show: Show, client: Client
) -> None:
    one = episode(show, slug="one")
    assert one.audio
    one.audio.chapters = [{"start_ms": 83_000, "end_ms": 90_000, "title": "The <diary>"}]
    one.audio.save()
    page = look(client, "/shows/harbour/one/")
    audio = page("//audio-player/audio")[0]
    assert audio.get("src") == f"/media/{one.id}/one.mp3"
    assert audio.get("preload") == "none"  # IAB v2.3: our own player must not count unplayed
    assert audio.get("autoplay") is None
    assert page("//a[@download]/@href")[0] == audio.get("src")
    chapter = page("//*[@data-play-at]")[0]
    assert (chapter.get("data-play-at"), chapter.text) == ("83", "The <diary>")


def test_listeners_get_no_cookies(show: Show, client: Client) -> None:
    """The privacy page says so."""
    episode(show, slug="one")
    for path in ["/", "/shows/harbour/", "/shows/harbour/one/", "/how-we-count/", "/privacy/"]:
        response = client.get(path)
        assert response.status_code == 200, path
        assert not response.cookies, path


def words_of(client: Client, path: str) -> str:
    (main,) = look(client, path)("//main")
    return " ".join(main.text_content().split())


def test_the_explaining_pages_say_what_this_installation_does(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontend.views.public._KEY_HOURS", 48)
    settings.ADDRESS_CEILING = 77
    counting, privacy = words_of(client, "/how-we-count/"), words_of(client, "/privacy/")
    assert "More than 77 downloads" in counting
    assert "until 48 hours after its end" in counting
    assert "destroyed 48 hours after the day ends" in privacy
    assert "a keyed hash of 16 bytes" in privacy


DATA_CENTRES_OUT = "Browsers at addresses of data centres are left out"
DATA_CENTRES_IN = "this installation has no list of data centres"


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        (None, DATA_CENTRES_IN),
        ("# none yet\n", DATA_CENTRES_IN),
        ("192.0.2.0/24\n", DATA_CENTRES_OUT),
        ("2001:db8::/32\n", DATA_CENTRES_OUT),
        ("nonsense\n", DATA_CENTRES_OUT),  # no counter begins with it
    ],
)
def test_the_page_claims_a_filter_of_addresses_only_where_there_is_one(
    client: Client, settings: Settings, tmp_path: Path, networks: str | None, said: str
) -> None:
    settings.DATACENTER_NETWORKS = tmp_path / "networks" if networks else None
    if networks:
        (tmp_path / "networks").write_text(networks)
    page = words_of(client, "/how-we-count/")
    assert [text for text in (DATA_CENTRES_OUT, DATA_CENTRES_IN) if text in page] == [said]


@pytest.mark.parametrize(
    ("ceiling", "said"),
    [
        (0, "However many downloads one address makes on one day, all of them count"),
        (1, "More than 1 download from one address on one day are set aside"),
        (77, "More than 77 downloads from one address on one day are set aside"),
    ],
)
def test_the_page_tells_of_a_ceiling_only_where_there_is_one(
    client: Client, settings: Settings, ceiling: int, said: str
) -> None:
    settings.ADDRESS_CEILING = ceiling
    page = words_of(client, "/how-we-count/")
    assert said in page
    assert ("set aside" in page) is bool(ceiling)


def test_the_page_names_the_list_of_user_agents_in_use(client: Client, settings: Settings) -> None:
    assert "uses the lists that come with Longwave" in words_of(client, "/how-we-count/")
    lists = read_lists(OWN_LISTS)
    about = {"source": "https://lists.example/v2/", "updated_at": "2026-10-14T11:00:00+00:00"}
    write_lists(updated_file(), lists, **about)
    page = words_of(client, "/how-we-count/")
    assert "the lists from https://lists.example/v2/, as they were on 2026-10-14." in page
    write_lists(updated_file(), lists, source="/srv/lists", updated_at=about["updated_at"])
    page = words_of(client, "/how-we-count/")
    assert "lists of its operator’s choice, as they were on" in page
    assert "/srv/lists" not in page
    updated_file().write_text("[]")  # somebody's mishap, and no reason to answer with an error
    assert "lists of its operator’s choice." in words_of(client, "/how-we-count/")


def test_the_show_page_names_the_feed_for_apps_and_people(show: Show, client: Client) -> None:
    page = look(client, "/shows/harbour/")
    feed = "http://localhost:8000/feeds/harbour.xml"
    assert page("//link[@type='application/rss+xml']/@href")[0] == feed
    assert page("//copy-field/input/@value")[0] == feed
    links = page("//a[@class='menu__item']/@href")
    assert "podcast://localhost:8000/feeds/harbour.xml" in links


def test_a_show_that_directories_leave_out_is_left_out_by_search_engines(
    show: Show, client: Client
) -> None:
    def robots() -> list[str]:
        page = look(client, "/shows/harbour/")
        return page("//meta[@name='robots']/@content")

    assert robots() == []
    show.is_blocked = True
    show.save()
    assert robots() == ["noindex"]


def test_the_front_page_plays_the_demo_where_there_is_one(client: Client) -> None:
    assert b"audio-player" not in client.get("/").content
    demo = ShowFactory(handle="demo", title="A demonstration")
    assert b"audio-player" not in client.get("/").content  # it has nothing to hear yet
    episode(demo, title="Listen to this")
    page = client.get("/").content.decode()
    assert "A demonstration" in page
    assert "Listen to this" in page


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_public_pages_only_read(show: Show, client: Client, method: str) -> None:
    assert getattr(client, method)("/shows/harbour/").status_code == 405


def test_a_missing_page_says_so_on_a_page_of_ours(client: Client) -> None:
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert b"Nothing on this frequency" in response.content


@pytest.mark.parametrize(
    ("notes", "summary"),
    [
        ("<p>One &amp; two.</p><p>Three</p>", "One & two. Three"),
        ("<p>Before</p><h2>Chapters</h2><ul><li>00:00 a</li></ul>", "Before"),
        ("<h2>Only</h2><p>this</p>", "Only this"),
        ("<p>a <b>bold</b> claim, <em>yes</em>.</p>", "a bold claim, yes."),
        ("", ""),
    ],
)
def test_a_summary_is_the_text_before_the_first_heading(
    show: Show, client: Client, notes: str, summary: str
) -> None:
    episode(show, notes_html=notes)
    page = look(client, "/shows/harbour/")
    assert [p.text for p in page("//p[@class='episode__summary']")] == (
        [summary] if summary else []
    )
