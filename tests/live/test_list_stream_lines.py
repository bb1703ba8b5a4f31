"""The line of a list's stream: taken up again after it was lost, and until when it lasts."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from api.live.event_stream import end_streams
from api.live.feeds import open_feeds
from apps.accounts.models import Membership
from apps.accounts.services import remove_member
from apps.accounts.tokens import revoke_token
from podcasts.models import Show
from podcasts.services.episodes import create_episode
from podcasts.services.trash import delete_show
from tests.conftest import People
from tests.live.list_listening import episodes, heard_after, listen
from tests.live.streaming import Stream, next_events
from tests.programs import program, token_of_organization
from tests.waiting import eventually

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]


def last_id(text: str) -> str:
    return [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")][-1]


def test_whoever_comes_back_is_told_what_they_missed(people: People, show: Show) -> None:
    cursors: list[str] = []

    async def begin(found: Stream) -> None:
        cursors.append(last_id(await found.read()))

    listen(people.client("owner"), episodes(show), begin)
    episode = create_episode(show=show, created_by=None, title="Meanwhile")
    heard: list[tuple[str, dict[str, Any]]] = []

    async def go_on(found: Stream) -> None:
        await next_events(found)
        heard.extend(await next_events(found))

    listen(people.client("owner"), episodes(show), go_on, **{"Last-Event-ID": cursors[0]})

    assert [(kind, event["id"]) for kind, event in heard] == [("upsert", str(episode.id))]


@pytest.mark.parametrize("cursor", ["1-0", "nonsense", "99999999999999-0"])
def test_whoever_was_away_too_long_is_told_to_read_the_list_anew(
    people: People, show: Show, cursor: str
) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        heard.extend(await next_events(found))

    listen(people.client("owner"), episodes(show), talk, **{"Last-Event-ID": cursor})

    assert heard == [("resync", {"type": "resync"})]


def test_a_word_that_was_lost_is_made_good_by_the_log(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an outage of the channel layer: the change is in the log, and nobody was told."""
    monkeypatch.setattr("api.live.feeds.PULSE_SECONDS", 0.05)
    monkeypatch.setattr("apps.core.row_news.announce", lambda groups, message: None)
    heard = heard_after(
        people, show, lambda: create_episode(show=show, created_by=None, title="Silent")
    )
    assert [event["row"]["title"] for _, event in heard] == ["Silent"]


def last_event(people: People, show: Show, client: Client, act: Callable[[], object]) -> Any:
    last: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        await sync_to_async(act)()
        while not last or last[-1][0] != "end":
            last.extend((kind, event.get("detail")) for kind, event in await next_events(found))

    found = listen(client, episodes(show), talk)
    assert found.is_over
    return last[-1]


def test_a_stream_ends_at_once_when_its_right_does(people: People, show: Show) -> None:
    member = Membership.objects.get(user=people.editor)
    owner = Membership.objects.get(user=people.owner)
    kind, detail = last_event(
        people,
        show,
        people.client("editor"),
        lambda: remove_member(actor=owner, membership=member),
    )
    assert (kind, detail) == ("end", "There is no such show.")


def test_a_stream_ends_at_once_when_its_token_is_revoked(people: People, show: Show) -> None:
    made, secret = token_of_organization(people.organization)
    kind, detail = last_event(people, show, program(secret), lambda: revoke_token(token=made))
    assert (kind, detail) == ("end", "This token was revoked.")


def test_a_stream_ends_with_its_show(people: People, show: Show) -> None:
    kind, _ = last_event(people, show, people.client("owner"), lambda: delete_show(show=show))
    assert kind == "end"


def test_the_last_stream_takes_the_feed_with_it(people: People, show: Show) -> None:
    seen: list[int] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        seen.append(open_feeds())
        await end_streams()
        await found.read()
        await eventually(lambda: open_feeds() == 0)
        seen.append(open_feeds())

    assert listen(people.client("owner"), episodes(show), talk).is_over
    assert seen == [1, 0]
