"""Lists as streams of what changes in them: what they say."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from api.live import change_stream, row_feed
from apps.core.clock import now
from apps.core.row_news import rows_group, tell
from podcasts.models import Episode, Show
from podcasts.services.episodes import create_episode, update_episode
from podcasts.services.publishing import publish_due_episodes, publish_episode, unpublish_episode
from podcasts.services.shows import update_show
from podcasts.services.trash import delete_episode, restore_episode
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory
from tests.live.list_listening import (
    APPLICATION,
    episodes,
    heard_after,
    hearers,
    listen,
    row_feeds,
)
from tests.live.streaming import Stream, next_events
from tests.waiting import eventually

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]


def test_a_new_draft_is_told_as_the_list_has_it(people: People, show: Show) -> None:
    heard = heard_after(
        people, show, lambda: create_episode(show=show, created_by=None, title="Begun")
    )
    [row] = people.client("owner").get(episodes(show)).json()["results"]
    assert heard == [("upsert", {"type": "upsert", "id": row["id"], "row": row})]


def test_only_the_fields_that_were_asked_for_are_told(people: People, show: Show) -> None:
    [(_, event)] = heard_after(
        people,
        show,
        lambda: create_episode(show=show, created_by=None, title="Begun"),
        "?fields=title,show.title",
    )
    assert event["row"] == {"title": "Begun", "show": {"title": show.title}}


CHANGES: dict[str, tuple[Callable[[Episode], object], str]] = {
    "its texts": (lambda e: update_episode(episode=e, title="New"), "upsert"),
    "publishing": (lambda e: publish_episode(episode=e), "upsert"),
    "unpublishing": (lambda e: unpublish_episode(episode=publish_episode(episode=e)), "upsert"),
    "the trash": (lambda e: delete_episode(episode=e), "delete"),
    "its return": (lambda e: (delete_episode(episode=e), restore_episode(episode=e)), "upsert"),
    "its show": (lambda e: update_show(show=e.show, title="Renamed"), "resync"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_an_episode_is_told(people: People, show: Show, change: str) -> None:
    act, expected = CHANGES[change]
    episode = EpisodeFactory(show=show, status="draft", published_at=None)

    def change_it() -> None:
        with transaction.atomic():
            act(episode)

    heard = heard_after(people, show, change_it)

    rows = people.client("owner").get(episodes(show)).json()["results"]
    assert [kind for kind, _ in heard] == [expected]
    if expected == "upsert":
        assert [event["row"] for _, event in heard] == rows
    if expected == "delete":
        assert heard[0][1]["id"] == str(episode.id)


def test_the_clocks_publishing_is_told(people: People, show: Show) -> None:
    EpisodeFactory(show=show, status="scheduled", published_at=now() - timedelta(seconds=1))
    [(kind, event)] = heard_after(people, show, publish_due_episodes)
    assert (kind, event["row"]["status"]) == ("upsert", "published")


def test_what_does_not_match_the_filters_is_told_as_gone(people: People, show: Show) -> None:
    """Whether the client knew it or not: who filters drafts loses what is published."""
    episode = EpisodeFactory(show=show, status="draft", published_at=None)
    heard = heard_after(people, show, lambda: publish_episode(episode=episode), "?status=draft")
    assert heard == [("delete", {"type": "delete", "id": str(episode.id)})]


def test_a_change_that_is_rolled_back_is_not_told(people: People, show: Show) -> None:
    def fail_then_create() -> None:
        with transaction.atomic():
            create_episode(show=show, created_by=None, title="Never")
            transaction.set_rollback(True)
        create_episode(show=show, created_by=None, title="Really")

    heard = heard_after(people, show, fail_then_create)
    assert [event["row"]["title"] for _, event in heard] == ["Really"]


def test_another_shows_changes_are_not_told(people: People, show: Show) -> None:
    other = ShowFactory(organization=people.organization)
    foreign = ShowFactory(organization=people.stranger.organizations.get())

    def change() -> None:
        for place in (other, foreign, show):
            create_episode(show=place, created_by=None, title=place.title)

    heard = heard_after(people, show, change)
    assert [event["row"]["title"] for _, event in heard] == [show.title]


def test_changes_are_told_in_their_order_and_a_row_by_its_last_one(
    people: People, show: Show
) -> None:
    first, second = (EpisodeFactory(show=show, title=title) for title in "ab")

    def change() -> None:
        with transaction.atomic():
            update_episode(episode=first, title="a2")
            update_episode(episode=second, title="b2")
            update_episode(episode=first, title="a3")

    heard = heard_after(people, show, change)
    assert [event["row"]["title"] for _, event in heard] == ["b2", "a3"]


def test_a_bulk_of_changes_is_a_handful_of_queries_for_all_streams(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = EpisodeFactory.create_batch(100, show=show)
    looks: list[int] = []
    look = row_feed.ChangedRows._frames

    def counted(self: Any, row_ids: list[str]) -> Any:
        looks.append(len(row_ids))
        return look(self, row_ids)

    monkeypatch.setattr(row_feed.ChangedRows, "_frames", counted)
    heard: list[int] = []

    def change() -> None:
        with transaction.atomic():
            for episode in rows:
                update_episode(episode=episode, title="New")

    async def talk(found: Stream) -> None:
        await next_events(found)
        others = [asyncio.ensure_future(one_more(people, show)) for _ in range(9)]
        await eventually(lambda: hearers() == 10)
        await sync_to_async(change)()
        heard.append(len(await next_events(found)))
        heard.extend([await other for other in others])

    listen(people.client("owner"), episodes(show), talk)

    assert looks == [100]
    assert heard == [100] * 10


async def one_more(people: People, show: Show) -> int:
    """Another stream on the same loop: how many events its first change brings."""
    client = await sync_to_async(people.client)("editor")
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    scope = {
        "type": "http",
        "method": "GET",
        "path": episodes(show),
        "query_string": b"",
        "headers": [(b"cookie", cookies.encode()), (b"accept", b"text/event-stream")],
    }
    found = Stream()
    found.ask()
    application: Any = APPLICATION
    running = asyncio.ensure_future(application(scope, found.receive, found.send))
    await next_events(found)
    count = len(await next_events(found))
    found.go()
    await running
    return count


def test_too_many_changes_at_once_are_not_told_one_by_one(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_feed, "MOST_ROWS", 2)
    ids = [UUID(int=number) for number in range(3)]
    heard = heard_after(people, show, lambda: tell([rows_group("episodes", "show", show.id)], ids))
    assert heard == [("resync", {"type": "resync"})]


def test_more_wishes_than_are_read_for_are_told_to_read_the_list_anew(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_feed, "MOST_WISHES", 0)
    ids = [UUID(int=1)]
    heard = heard_after(people, show, lambda: tell([rows_group("episodes", "show", show.id)], ids))
    assert heard == [("resync", {"type": "resync"})]


@pytest.mark.parametrize("limit", ["MOST_WAITING", "MOST_WAITING_BYTES"])
def test_a_client_that_takes_nothing_holds_no_more_than_so_much(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(change_stream, limit, 3)
    rows = EpisodeFactory.create_batch(5, show=show)
    heard: list[str] = []

    def change(episode: Episode) -> None:
        update_episode(episode=episode, title="New")

    async def talk(found: Stream) -> None:
        await next_events(found)
        found.has_room.clear()
        [feed] = row_feeds()
        told = {feed.cursor}
        for episode in rows:
            await sync_to_async(change)(episode)
            await eventually(lambda: feed.cursor not in told)
            told.add(feed.cursor)
        [[hearer]] = feed.hearers.values()
        assert len(hearer._waiting) <= 3
        found.has_room.set()
        await next_events(found)  # what was on its way
        heard.extend(kind for kind, _ in await next_events(found))

    listen(people.client("owner"), episodes(show), talk)

    assert "resync" in heard
