"""Lists as streams of what changes in them: who gets them, what they say, and until when."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.test import Client

from api.live import change_stream, row_feed
from api.live.event_stream import end_streams
from api.live.feeds import open_feeds
from api.live.lists import LISTS
from api.urls import urlpatterns as api_urlpatterns
from apps.accounts.actors import TokenActor
from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.accounts.services import remove_member
from apps.accounts.tokens import revoke_token
from apps.core.clock import now
from apps.core.row_news import rows_group, tell
from apps.media.models import Upload
from apps.media.uploads import abort_upload, open_upload
from hosting.live_streams import LiveStreams, prefers_events
from podcasts.models import Episode, Show
from podcasts.services.episodes import create_episode, update_episode
from podcasts.services.publishing import publish_due_episodes, publish_episode, unpublish_episode
from podcasts.services.shows import update_show
from podcasts.services.trash import delete_episode, delete_show, restore_episode
from tests.conftest import People
from tests.factories import EpisodeFactory, MembershipFactory, ShowFactory
from tests.live.streaming import Stream, next_events, stream
from tests.live.test_streams import elsewhere
from tests.programs import program, token_of_organization, token_of_person
from tests.waiting import eventually

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]
APPLICATION = LiveStreams(elsewhere)
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def show(people: People) -> Show:
    return ShowFactory(organization=people.organization)


def episodes(show: Show, query: str = "") -> str:
    return f"/api/v1/shows/{show.id}/episodes/{query}"


def listen(client: Client, target: str, talk: Any, **headers: str) -> Stream:
    return stream(APPLICATION, client, target, talk, headers=EVENTS | headers)


def status(client: Client, target: str, accept: str = "text/event-stream") -> int:
    async def talk(found: Stream) -> None:
        await found.read()

    return stream(APPLICATION, client, target, talk, headers={"Accept": accept}).status


# --- Which requests are for a stream ------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream", True),
        ("text/event-stream, application/json;q=0.5", True),
        ("application/json;q=0.5, text/event-stream", True),
        ("text/event-stream, */*;q=0.1", True),
        ("application/json, text/event-stream", False),
        ("text/event-stream;q=0.4, application/json", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream, */*", True),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
def test_a_stream_is_for_whoever_likes_events_better_than_json(
    accept: str, is_stream: bool
) -> None:
    assert prefers_events(accept) is is_stream


def test_everything_else_at_a_lists_address_goes_on_as_before(people: People, show: Show) -> None:
    owner = people.client("owner")
    assert status(owner, episodes(show), "application/json") == 299
    assert status(owner, "/api/v1/shows/") == 299
    assert status(owner, f"/api/v1/organizations/{show.organization_id}/episodes/") == 299

    async def talk(found: Stream) -> None:
        await found.read()

    posted = stream(APPLICATION, owner, episodes(show), talk, method="POST", headers=EVENTS)
    assert posted.status == 299


def test_lists_and_streams_say_that_the_answer_depends_on_accept(
    people: People, show: Show
) -> None:
    async def talk(found: Stream) -> None:
        await found.read()

    assert "Accept" in people.client("owner").get(episodes(show)).headers["Vary"]
    assert "Accept" in listen(people.client("owner"), episodes(show), talk).headers["vary"]


# --- Who gets one -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "answer"),
    [("owner", 200), ("analyst", 200), ("staff", 404), ("stranger", 404), ("anonymous", 401)],
)
def test_a_list_can_be_heard_by_whoever_can_read_it(
    people: People, show: Show, who: str, answer: int
) -> None:
    client = people.client(who)
    assert status(client, episodes(show)) == answer == client.get(episodes(show)).status_code


def token(people: People, show: Show, kind: str) -> str:
    other = ShowFactory(organization=people.organization)
    match kind:
        case "read":
            return token_of_person(people.analyst, [Scope.READ])[1]
        case "stats":
            return token_of_person(people.analyst, [Scope.STATS])[1]
        case "organization":
            return token_of_organization(people.organization, Role.ANALYST)[1]
        case "this show":
            return token_of_organization(people.organization, show_id=show.id)[1]
        case "other show":
            return token_of_organization(people.organization, show_id=other.id)[1]
        case "stranger":
            return token_of_person(people.stranger)[1]
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("read", 200),
        ("stats", 403),
        ("organization", 200),
        ("this show", 200),
        ("other show", 404),
        ("stranger", 404),
    ],
)
def test_a_token_hears_the_lists_that_it_can_read(
    people: People, show: Show, kind: str, answer: int
) -> None:
    client = program(token(people, show, kind))
    assert status(client, episodes(show)) == answer == client.get(episodes(show)).status_code


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("?page_size=2", "page_size", "not_for_streams"),
        ("?ordering=title", "ordering", "not_for_streams"),
        ("?nonsense=1", "nonsense", "unknown_parameter"),
        ("?fields=id,nonsense", "fields", "unknown_field"),
        ("?status=nonsense", "status", "invalid_choice"),
    ],
)
def test_what_a_stream_cannot_honour_it_refuses_and_says_which(
    people: People, show: Show, query: str, parameter: str, code: str
) -> None:
    bodies: list[str] = []

    async def talk(found: Stream) -> None:
        bodies.append(await found.read())

    found = listen(people.client("owner"), episodes(show, query), talk)

    assert found.status == 400
    [error] = json.loads(bodies[0])["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)


# --- What it says -------------------------------------------------------------------------------


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
    assert {event["row"]["title"] for _, event in heard} == {"a3", "b2"}
    assert len(heard) == 2


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


def hearers() -> int:
    return sum(len(found) for feed in row_feeds() for found in feed.hearers.values())


def row_feeds() -> list[Any]:
    from api.live import feeds

    return list(feeds._feeds.get(asyncio.get_running_loop(), {}).values())


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
        for episode in rows:
            await sync_to_async(change)(episode)
            await asyncio.sleep(0.6)
        [feed] = row_feeds()
        [[hearer]] = feed.hearers.values()
        assert len(hearer._waiting) <= 3
        found.has_room.set()
        await next_events(found)  # what was on its way
        heard.extend(kind for kind, _ in await next_events(found))

    listen(people.client("owner"), episodes(show), talk)

    assert "resync" in heard


# --- Coming back --------------------------------------------------------------------------------


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


# --- Until when ---------------------------------------------------------------------------------


def last_event(people: People, show: Show, client: Client, act: Callable[[], object]) -> Any:
    last: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        await sync_to_async(act)()
        for kind, event in await next_events(found):
            last.append((kind, event.get("detail")))

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


def test_every_list_that_says_so_has_a_stream_and_no_other() -> None:
    streamed = {
        str(pattern.pattern): view
        for pattern in api_urlpatterns
        if getattr(view := getattr(pattern.callback, "view_class", None), "is_streamed", False)
    }
    assert streamed == {address: one.view for address, one in LISTS.items()}


# --- Lists over several places ------------------------------------------------------------------


def test_the_list_of_all_episodes_tells_of_every_organisation_of_the_actor_and_no_other(
    people: People, show: Show
) -> None:
    second = MembershipFactory(user=people.owner, organization__name="Second").organization
    shows: list[Show] = [show, ShowFactory(organization=second), ShowFactory()]
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        for place in reversed(shows):
            await sync_to_async(create_episode)(show=place, created_by=None, title=place.title)
        while len(heard) < 2:
            heard.extend(event["row"]["title"] for _, event in await next_events(found))

    listen(people.client("owner"), "/api/v1/episodes/", talk)

    assert sorted(heard) == sorted(place.title for place in shows[:2])


def test_a_token_for_one_show_hears_only_of_it(people: People, show: Show) -> None:
    other = ShowFactory(organization=people.organization)
    _, secret = token_of_organization(people.organization, show_id=show.id)
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        for place in (other, show):
            await sync_to_async(create_episode)(show=place, created_by=None, title=place.title)
        heard.extend(event["row"]["title"] for _, event in await next_events(found))

    listen(program(secret), "/api/v1/episodes/", talk)

    assert heard == [show.title]


def test_who_leaves_one_organisation_goes_on_hearing_of_the_other(
    people: People, show: Show
) -> None:
    second = MembershipFactory(user=people.editor, organization__name="Second").organization
    member = Membership.objects.get(user=people.editor, organization=people.organization)
    owner = Membership.objects.get(user=people.owner)
    left, kept = show, ShowFactory(organization=second)
    heard: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        await sync_to_async(remove_member)(actor=owner, membership=member)
        heard.extend(await next_events(found))
        for place in (left, kept):
            await sync_to_async(create_episode)(show=place, created_by=None, title=place.title)
        heard.extend(event["row"]["title"] for _, event in await next_events(found))

    listen(people.client("editor"), "/api/v1/episodes/", talk)

    assert heard == [("resync", {"type": "resync"}), kept.title]


def upload(people: People, actor: Any) -> Upload:
    return open_upload(
        organization=people.organization, actor=actor, filename="a.mp3", size_bytes=10
    )[0]


def test_uploads_are_told_from_their_beginning_to_their_end(people: People) -> None:
    target = f"/api/v1/organizations/{people.organization.id}/uploads/"
    heard: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        opened = await sync_to_async(upload)(people, people.editor)
        heard.extend(await next_events(found))
        await sync_to_async(abort_upload)(upload=opened)
        heard.extend(await next_events(found))

    listen(people.client("editor"), target, talk)

    [row] = people.client("editor").get(target).json()["results"]
    assert heard[1] == ("upsert", {"type": "upsert", "id": row["id"], "row": row})
    assert [event["row"]["status"] for _, event in heard] == ["open", "aborted"]


@pytest.mark.parametrize(
    ("who", "answer"), [("editor", 200), ("analyst", 403), ("stranger", 404), ("anonymous", 401)]
)
def test_uploads_are_heard_by_whoever_may_send_some(people: People, who: str, answer: int) -> None:
    target = f"/api/v1/organizations/{people.organization.id}/uploads/"
    client = people.client(who)
    assert status(client, target) == answer == client.get(target).status_code


def test_a_token_for_one_show_hears_of_the_uploads_that_it_began(
    people: People, show: Show
) -> None:
    target = f"/api/v1/organizations/{people.organization.id}/uploads/"
    made, secret = token_of_organization(people.organization, show_id=show.id)
    ids: list[str] = []
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        opened = [
            await sync_to_async(upload)(people, actor)
            for actor in (people.editor, TokenActor(made))
        ]
        ids.extend(str(one.id) for one in opened)
        heard.extend(event["id"] for _, event in await next_events(found))

    listen(program(secret), target, talk)

    assert heard == ids[1:]


# --- The platform's lists -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["episodes", "uploads", "downloads", "hits"])
@pytest.mark.parametrize(
    ("who", "answer"), [("staff", 200), ("owner", 404), ("stranger", 404), ("anonymous", 401)]
)
def test_the_platforms_lists_are_heard_by_its_staff(
    people: People, kind: str, who: str, answer: int
) -> None:
    assert status(people.client(who), f"/api/v1/platform/live/{kind}") == answer


def test_no_token_hears_the_platforms_lists(people: People) -> None:
    _, secret = token_of_person(people.staff)
    assert status(program(secret), "/api/v1/platform/live/episodes") == 404


def test_staff_hear_that_something_changed_whosever_it_is(people: People, show: Show) -> None:
    heard: list[Any] = []

    async def talk(found: Stream) -> None:
        await next_events(found)
        create = sync_to_async(create_episode)
        await create(show=show, created_by=None, title="Begun")
        heard.extend(await next_events(found))

    listen(people.client("staff"), "/api/v1/platform/live/episodes", talk)

    assert heard == [("changed", {"type": "changed", "list": "episodes"})]
