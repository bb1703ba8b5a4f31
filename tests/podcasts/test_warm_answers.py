"""A web process that remembers its answers: the studio's change is in the very next one."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import httpx2
import pytest
import time_machine
from django.db import transaction

from apps.core import changes, valkey
from apps.core.clock import now
from hosting.data_plane import DataPlane
from podcasts.audio import receive_audio
from podcasts.feeds.publish import refresh_feed
from podcasts.media_lookup import EpisodeAudio, find_public_audio
from podcasts.models import Episode, Show
from podcasts.services.publishing import publish_episode, schedule_episode, unpublish_episode
from podcasts.services.shows import update_show
from podcasts.services.trash import delete_episode, delete_show, restore_episode, restore_show
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory
from tests.loops import running_loop
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_valkey")]


class Web:
    """The data plane on one event loop, which stays."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        wait_until(self.hears)

    def hears(self) -> bool:
        async def is_sure() -> bool:
            return changes.line().is_sure()

        return asyncio.run_coroutine_threadsafe(is_sure(), self.loop).result(20)

    def find(self, episode: Episode) -> EpisodeAudio | None:
        return asyncio.run_coroutine_threadsafe(find_public_audio(episode.id), self.loop).result(20)

    def head(self, path: str) -> httpx2.Response:
        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=cast(Any, DataPlane()))
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.head(path)

        return asyncio.run_coroutine_threadsafe(ask(), self.loop).result(20)

    def audio(self, episode: Episode) -> str | None:
        """The ETag with which an episode is answered; None when there is nothing."""
        answer = self.head(f"/media/{episode.id}/audio.mp3")
        return answer.headers["etag"] if answer.status_code == 200 else None

    def feed(self, handle: str) -> str:
        """The status of a feed, and where it is or which one it is."""
        answer = self.head(f"/feeds/{handle}.xml")
        said = answer.headers.get("location") or answer.headers.get("etag", "")
        return f"{answer.status_code} {said}"


@pytest.fixture
def web(episode: Episode) -> Iterator[Web]:
    """Begins behind the making of the rows, of which it would hear as of changes."""
    with running_loop() as loop:
        yield Web(loop)


@pytest.fixture
def episode() -> Episode:
    made = EpisodeFactory(show=ShowFactory(handle="harbour"))
    refresh_feed(made.show_id)
    return made


def etag(episode: Episode) -> str:
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    return f'"{episode.audio.rendition.sha256}"'


def test_the_same_object_is_found_until_something_changes(web: Web, episode: Episode) -> None:
    first = web.find(episode)
    assert first is not None
    assert web.find(episode) is first
    unpublish_episode(episode=episode)
    publish_episode(episode=episode)
    again = web.find(episode)
    assert again is not first
    assert again is not None
    assert again.packed() == first.packed()
    assert EpisodeAudio.unpacked(first.packed()).packed() == first.packed()


def test_what_is_warm_is_answered_without_valkey_and_without_the_database(
    web: Web, episode: Episode
) -> None:
    audio, feed = web.audio(episode), web.feed("harbour")
    client = valkey.connection()
    for name in (f"audio:{episode.id}", "feed:harbour"):
        # A key of another type: reading it would be an error.
        client.delete(valkey.key(name))
        client.hset(valkey.key(name), "nothing", "here")
    Episode.objects.filter(id=episode.id).update(status="draft")  # past all services
    Show.objects.filter(id=episode.show_id).update(deleted_at=now())
    assert (web.audio(episode), web.feed("harbour")) == (audio, feed)


def test_an_episode_comes_and_goes_at_once(web: Web, episode: Episode) -> None:
    assert web.audio(episode) == etag(episode)
    unpublish_episode(episode=episode)
    assert web.audio(episode) is None
    publish_episode(episode=episode)
    assert web.audio(episode) == etag(episode)
    delete_episode(episode=episode)
    assert web.audio(episode) is None
    restore_episode(episode=episode)
    assert web.audio(episode) == etag(episode)
    delete_show(show=episode.show)
    assert (web.audio(episode), web.feed("harbour")) == (None, "404 ")
    restore_show(show=episode.show)
    assert web.audio(episode) == etag(episode)
    assert web.feed("harbour").startswith("200 ")


def test_a_replaced_file_is_served_at_once(web: Web, episode: Episode) -> None:
    before = web.audio(episode)
    other = AssetFactory(organization=episode.organization)
    receive_audio(episode=episode, asset=other)
    episode = Episode.objects.get(id=episode.id)
    assert web.audio(episode) == etag(episode) != before


def test_a_feed_changes_and_moves_at_once(web: Web, episode: Episode) -> None:
    before = web.feed("harbour")
    assert before.startswith("200 ")
    show = update_show(show=episode.show, title="Another title")
    changed = web.feed("harbour")
    assert changed.startswith("200 ")
    assert changed != before
    assert web.feed("pier") == "404 "
    update_show(show=show, handle="pier")
    assert web.feed("harbour").startswith("301 ")
    assert web.feed("pier").startswith("200 ")


def test_an_episode_whose_time_comes_is_heard_before_any_job_announces_it(
    web: Web, episode: Episode
) -> None:
    unpublish_episode(episode=episode)
    Episode.objects.filter(id=episode.id).update(published_at=None)
    episode.refresh_from_db()
    schedule_episode(episode=episode, at=now() + timedelta(hours=1))
    assert web.audio(episode) is None
    with time_machine.travel(now() + timedelta(hours=2)):
        assert web.audio(episode) == etag(episode)


def test_a_change_that_is_rolled_back_costs_no_query(web: Web, episode: Episode) -> None:
    first = web.find(episode)

    with transaction.atomic():
        unpublish_episode(episode=episode)
        transaction.set_rollback(True)
    assert web.find(episode) is first
