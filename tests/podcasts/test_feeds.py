"""What stands in a feed, when it changes, and how real podcast clients read it."""

import gzip
import io
from datetime import timedelta
from typing import Any

import feedparser
import podcastparser
import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import AsyncRequestFactory
from django.test.utils import CaptureQueriesContext
from lxml import etree
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from apps.core.clock import now
from apps.core.database import in_database
from podcasts import urls
from podcasts.feeds import cache, views
from podcasts.feeds.document import build_feed, serialize
from podcasts.feeds.lookup import find_feed
from podcasts.feeds.publish import STALE_AFTER, refresh_feed, refresh_stale_feeds
from podcasts.feeds.xml import NAMESPACES, legal, truncate_bytes
from podcasts.models import Episode, FeedDocument, Handle, Show
from podcasts.services.shows import update_show
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory

pytestmark = pytest.mark.django_db(transaction=False)


def render(show: Show) -> etree._Element:
    """The feed's channel as apps get it."""
    episodes = Episode.objects.for_show(show).published(now()).with_media()
    xml = serialize(build_feed(show, episodes), built_at=now())
    channel = etree.fromstring(xml).find("channel")
    assert channel is not None
    return channel


def text_of(element: etree._Element, path: str) -> str | None:
    return element.findtext(path, namespaces=NAMESPACES)


def attributes(element: etree._Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.items()}


@pytest.fixture
def show() -> Show:
    return ShowFactory(
        handle="harbour",
        title="Harbour Lights",
        category="Society & Culture/Places & Travel",
        language="en-gb",
        is_owner_email_public=True,
    )


def test_a_channel_holds_everything_that_apple_and_psp_require(show: Show) -> None:
    channel = render(show)
    assert text_of(channel, "title") == "Harbour Lights"
    assert text_of(channel, "description") == "About things."
    assert text_of(channel, "link") == urls.show_url(show)
    assert text_of(channel, "language") == "en-gb"
    assert text_of(channel, "itunes:explicit") == "false"
    image = channel.find("itunes:image", NAMESPACES)
    assert image is not None
    assert image.get("href") == urls.artwork_url(show.artwork, "feed")
    category = channel.find("itunes:category", NAMESPACES)
    assert category is not None
    assert category.get("text") == "Society & Culture"
    assert category[0].get("text") == "Places & Travel"
    self_link = channel.find("atom:link[@rel='self']", NAMESPACES)
    assert self_link is not None
    assert self_link.get("href") == urls.feed_url("harbour")
    assert text_of(channel, "podcast:guid") == str(show.guid)


def test_an_item_holds_everything_required(show: Show) -> None:
    episode = EpisodeFactory(show=show, season_number=2, episode_number=7)
    item = render(show).find("item")
    assert item is not None
    assert text_of(item, "title") == episode.title
    enclosure = item.find("enclosure")
    assert enclosure is not None
    assert attributes(enclosure) == {
        "url": urls.enclosure_url(episode, episode.audio.rendition),
        "length": "29000000",
        "type": "audio/mpeg",
    }
    guid = item.find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == (episode.guid, "false")
    assert text_of(item, "itunes:duration") == "1800"
    assert text_of(item, "itunes:season") == "2"
    assert text_of(item, "itunes:episode") == "7"
    assert text_of(item, "itunes:episodeType") == "full"


@pytest.mark.parametrize("is_public", [True, False])
def test_the_owners_address_is_published_only_when_allowed(show: Show, is_public: bool) -> None:
    show.is_owner_email_public = is_public
    xml = etree.tostring(render(show)).decode()
    assert ("somebody@example.com" in xml) is is_public


@pytest.mark.parametrize("value", ["is_blocked", "is_complete"])
def test_block_and_complete_say_yes_or_nothing(show: Show, value: str) -> None:
    tag = {"is_blocked": "itunes:block", "is_complete": "itunes:complete"}[value]
    assert text_of(render(show), tag) is None
    setattr(show, value, True)
    assert text_of(render(show), tag) == "Yes"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"status": "draft"}, id="draft"),
        pytest.param({"status": "unpublished"}, id="unpublished"),
        pytest.param(
            {"status": "scheduled", "published_at": now() + timedelta(days=1)}, id="scheduled"
        ),
        pytest.param({"published_at": now() + timedelta(days=1)}, id="dated ahead"),
        pytest.param({"deleted_at": now()}, id="in the trash"),
    ],
)
def test_what_is_not_public_is_not_in_the_feed(show: Show, changes: dict[str, Any]) -> None:
    EpisodeFactory(show=show, title="Seen")
    EpisodeFactory(show=show, title="Hidden", **changes)
    assert [item.findtext("title") for item in render(show).iter("item")] == ["Seen"]


def test_newest_episodes_come_first(show: Show) -> None:
    for days, title in [(3, "old"), (1, "new"), (2, "middle")]:
        EpisodeFactory(show=show, title=title, published_at=now() - timedelta(days=days))
    assert [i.findtext("title") for i in render(show).iter("item")] == ["new", "middle", "old"]


def test_text_that_xml_forbids_is_left_out(show: Show) -> None:
    EpisodeFactory(
        show=show, title="Bell\x07 & \ufffe<tag> \U0001f600", notes_html="<p>a]]>b\x01</p>"
    )
    item = render(show).find("item")
    assert item is not None
    assert text_of(item, "title") == "Bell & <tag> \U0001f600"
    assert text_of(item, "content:encoded") == "<p>a]]>b</p>"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "abc"), ("aéé", 3, "aé"), ("aéé", 4, "aé"), ("😀", 3, "")],
)
def test_text_is_cut_at_whole_characters(text: str, limit: int, expected: str) -> None:
    assert truncate_bytes(text, limit) == expected


def test_legal_keeps_tabs_and_line_ends() -> None:
    assert legal("a\tb\r\nc\x0b\ud800") == "a\tb\r\nc"


def test_chapters_are_announced_when_the_audio_has_them(show: Show) -> None:
    chapters = [{"start_ms": 0, "end_ms": 1500, "title": "One"}]
    audio = AssetFactory(organization=show.organization, chapters=chapters)
    episode = EpisodeFactory(show=show, audio=audio)
    tag = render(show).find("item/podcast:chapters", NAMESPACES)
    assert tag is not None
    assert attributes(tag) == {
        "url": urls.chapters_url(episode),
        "type": "application/json+chapters",
    }


# --- Real clients -----------------------------------------------------------------------------


def test_feedparser_reads_the_feed_without_complaint(show: Show) -> None:
    episode = EpisodeFactory(show=show, notes_html="<p>Hello <em>there</em></p>")
    refresh_feed(show.id)
    parsed = feedparser.parse(io.BytesIO(bytes(FeedDocument.objects.get(show=show).xml)))
    assert not parsed.bozo
    assert parsed.feed.title == "Harbour Lights"
    assert parsed.feed.itunes_explicit is False or parsed.feed.itunes_explicit is None
    (entry,) = parsed.entries
    assert entry.id == episode.guid
    assert entry.enclosures[0].href == urls.enclosure_url(episode, episode.audio.rendition)
    assert entry.enclosures[0].length == "29000000"
    assert entry.published_parsed[:6] == episode.published_at.utctimetuple()[:6]


def test_gpodders_parser_reads_the_feed(show: Show) -> None:
    episode = EpisodeFactory(show=show, notes_html="<p>Hello</p>")
    refresh_feed(show.id)
    xml = bytes(FeedDocument.objects.get(show=show).xml)
    parsed = podcastparser.parse(urls.feed_url(show.handle), io.BytesIO(xml))
    assert parsed["title"] == "Harbour Lights"
    assert parsed["cover_url"] == urls.artwork_url(show.artwork, "feed")
    (entry,) = parsed["episodes"]
    assert entry["guid"] == episode.guid
    assert entry["total_time"] == 1800
    assert entry["enclosures"] == [
        {
            "url": urls.enclosure_url(episode, episode.audio.rendition),
            "file_size": 29000000,
            "mime_type": "audio/mpeg",
        }
    ]


# --- The stored document ----------------------------------------------------------------------


def test_rendering_without_a_change_keeps_date_and_bytes(show: Show) -> None:
    EpisodeFactory(show=show)
    refresh_feed(show.id)
    before = FeedDocument.objects.get(show=show)
    with time_machine.travel(now() + timedelta(minutes=5)):
        refresh_feed(show.id)
    after = FeedDocument.objects.get(show=show)
    assert (after.modified_at, bytes(after.xml)) == (before.modified_at, bytes(before.xml))


def test_a_change_gives_a_new_date_and_tag(show: Show) -> None:
    refresh_feed(show.id)
    before = cache.as_cached(FeedDocument.objects.get(show=show), show.handle)
    EpisodeFactory(show=show)
    with time_machine.travel(now() + timedelta(minutes=5)):
        refresh_feed(show.id)
    after = cache.as_cached(FeedDocument.objects.get(show=show), show.handle)
    assert after.modified_at > before.modified_at
    assert after.etag != before.etag


@pytest.mark.usefixtures("clean_valkey")
def test_a_rendering_that_fails_harms_no_change_and_is_made_good_for(
    show: Show,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = ShowFactory(title="Broken")

    def build(changed: Show, episodes: Any) -> etree._Element:
        if changed.title in failing:
            raise OperationalError("the server closed the connection")
        return build_feed(changed, episodes)

    monkeypatch.setattr("podcasts.feeds.publish.build_feed", build)
    failing = {"Renamed", "Broken"}
    with django_capture_on_commit_callbacks(execute=True):
        update_show(show=broken, author="Somebody else")
        update_show(show=show, title="Renamed")
    assert not FeedDocument.objects.exists()

    failing = {"Broken"}
    assert refresh_stale_feeds() == 0  # whoever made the change may still be at it
    with time_machine.travel(now() + STALE_AFTER + timedelta(seconds=1)):
        assert refresh_stale_feeds() == 1  # the other one stops nothing, and is tried again
        failing = set()
        assert refresh_stale_feeds() == 1
        assert refresh_stale_feeds() == 0
    assert b"Renamed" in bytes(FeedDocument.objects.get(show=show).xml)


@pytest.mark.usefixtures("clean_valkey")
def test_a_feed_in_the_trash_is_gone(
    show: Show, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    refresh_feed(show.id)
    show.deleted_at = now()
    show.save()
    with django_capture_on_commit_callbacks(execute=True):
        refresh_feed(show.id)
    assert not FeedDocument.objects.exists()


def test_refreshing_the_feed_of_a_show_that_is_gone_does_nothing(show: Show) -> None:
    show_id = show.id
    Handle.objects.all().delete()
    show.delete()
    refresh_feed(show_id)
    assert not FeedDocument.objects.exists()


def test_the_number_of_queries_does_not_depend_on_the_number_of_episodes(show: Show) -> None:
    EpisodeFactory(show=show)
    refresh_feed(show.id)
    counts = []
    for _ in range(2):
        EpisodeFactory(show=show)
        with CaptureQueriesContext(connection) as queries:
            refresh_feed(show.id)
        counts.append(len(queries))
        EpisodeFactory.create_batch(18, show=show)
    assert counts[0] == counts[1]


# --- HTTP -------------------------------------------------------------------------------------


async def ask(handle: str, method: str = "get", **headers: str) -> HttpResponse:
    request = getattr(AsyncRequestFactory(), method)(f"/feeds/{handle}.xml", headers=headers)
    return await views.feed(request, handle)


@pytest.fixture
def stored(transactional_db: None, clean_valkey: None) -> Show:
    """A show whose feed is stored and warm."""
    show = ShowFactory(handle="stored")
    EpisodeFactory(show=show)
    refresh_feed(show.id)
    return show


async def test_a_feed_answers_with_validators_and_exact_length(stored: Show) -> None:
    response = await ask("stored")
    document = await in_database(FeedDocument.objects.get, show=stored)
    assert response.status_code == 200
    assert response.content == bytes(document.xml)
    assert response["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert response["Content-Length"] == str(len(document.xml))
    assert response["ETag"].startswith('"')
    assert response["Last-Modified"].endswith("GMT")
    assert response["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accept", "is_gzipped"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("br", False),
        ("", False),
        ("gzip;q=rubbish", False),
        ("*;q=0, gzip", True),
    ],
)
async def test_gzip_is_sent_when_it_is_asked_for(
    stored: Show, accept: str, is_gzipped: bool
) -> None:
    response = await ask("stored", accept_encoding=accept)
    assert (response.get("Content-Encoding") == "gzip") is is_gzipped
    plain = await ask("stored")
    assert (response["ETag"] != plain["ETag"]) is is_gzipped
    body = gzip.decompress(response.content) if is_gzipped else response.content
    assert body == plain.content


async def test_head_answers_the_same_headers_without_a_body(stored: Show) -> None:
    get, head = await ask("stored"), await ask("stored", "head")
    assert head.content == b""
    assert dict(head.items()) == dict(get.items())


async def test_a_client_that_has_the_feed_gets_304(stored: Show) -> None:
    response = await ask("stored")
    by_tag = await ask("stored", if_none_match=response["ETag"])
    by_date = await ask("stored", if_modified_since=response["Last-Modified"])
    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    assert by_tag["ETag"] == response["ETag"]
    assert by_tag.content == b""
    other = await ask(
        "stored", if_none_match='"other"', if_modified_since=response["Last-Modified"]
    )
    assert other.status_code == 200


async def test_a_handle_of_old_redirects_for_ever(stored: Show) -> None:
    await in_database(Handle.objects.create, handle="former", show=stored)
    for _ in range(2):  # from the database, then from Valkey
        response = await ask("former")
        assert response.status_code == 301
        assert response["Location"] == urls.feed_url("stored")


async def test_an_unknown_feed_is_404_and_a_post_405(stored: Show) -> None:
    assert (await ask("nobody")).status_code == 404
    assert (await ask("stored", "post")).status_code == 405


async def test_a_feed_that_was_never_rendered_is_rendered_on_demand(stored: Show) -> None:
    await in_database(FeedDocument.objects.all().delete)
    cache.forget(["stored"])
    response = await ask("stored")
    assert response.status_code == 200


async def test_a_new_public_address_is_in_every_feed(
    stored: Show, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await ask("stored")
    settings.BASE_URL = "https://moved.example"
    cache.forget(["stored"])
    with monkeypatch.context() as broken:
        broken.setattr("podcasts.feeds.publish.build_feed", None)
        assert (await ask("stored"))["ETag"] == before["ETag"]  # rather an old one than none

    cache.forget(["stored"])
    after = await ask("stored")
    assert b"https://moved.example/media/" in b"".join(after)
    assert after["ETag"] != before["ETag"]


async def test_a_new_edition_that_changes_nothing_keeps_a_feeds_tag(
    stored: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await ask("stored")
    monkeypatch.setattr("podcasts.feeds.edition._FORM", 999)
    for _ in range(2):
        cache.forget(["stored"])
        assert (await ask("stored"))["ETag"] == before["ETag"]
    edition = await in_database(lambda: FeedDocument.objects.get(show=stored).edition)
    assert edition.startswith("999 ")


def test_of_two_renderings_that_are_kept_in_the_wrong_order_the_last_one_is_answered(
    show: Show, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def render_with(title: str) -> list[Any]:
        Show.objects.filter(pk=show.pk).update(title=title)
        with django_capture_on_commit_callbacks() as hooks:
            refresh_feed(show.pk)
        return hooks

    older, newer = render_with("Older"), render_with("Newer")
    for keep in [*newer, *older]:
        keep()
    found = async_to_sync(find_feed)(show.handle)
    assert isinstance(found, cache.CachedFeed)
    assert b"<title>Newer</title>" in found.xml
