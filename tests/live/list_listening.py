"""Listening to lists, in this process: what one hears, and who hears."""

import asyncio
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.test import Client

from api.live import feeds
from hosting.live_streams import LiveStreams
from podcasts.models import Show
from tests.conftest import People
from tests.live.streaming import Stream, next_events, stream
from tests.live.test_streams import elsewhere

APPLICATION = LiveStreams(elsewhere)
EVENTS = {"Accept": "text/event-stream"}


def episodes(show: Show, query: str = "") -> str:
    """The address of a show's list."""
    return f"/api/v1/shows/{show.id}/episodes/{query}"


def listen(client: Client, target: str, talk: Any, **headers: str) -> Stream:
    """Have it open as a stream while this is done."""
    return stream(APPLICATION, client, target, talk, headers=EVENTS | headers)


def status(client: Client, target: str, accept: str = "text/event-stream") -> int:
    """What is answered there; 299 by whoever has no streams."""

    async def talk(found: Stream) -> None:
        await found.read()

    return stream(APPLICATION, client, target, talk, headers={"Accept": accept}).status


def heard_after(
    people: People, show: Show, act: Callable[[], object], query: str = "", who: str = "owner"
) -> list[tuple[str, dict[str, Any]]]:
    """The events that follow a change."""
    heard: list[tuple[str, dict[str, Any]]] = []

    async def talk(found: Stream) -> None:
        [(kind, _)] = await next_events(found)
        assert kind == "ready"
        await sync_to_async(act)()
        heard.extend(await next_events(found))

    listen(people.client(who), episodes(show, query), talk)
    return heard


def hearers() -> int:
    """How many streams hear of changes on this loop."""
    return sum(len(found) for feed in row_feeds() for found in feed.hearers.values())


def row_feeds() -> list[Any]:
    """The feeds that are open on this loop."""
    return list(feeds._feeds.get(asyncio.get_running_loop(), {}).values())
