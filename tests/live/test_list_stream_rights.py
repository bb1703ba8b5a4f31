"""Which requests at a list's address get a stream, and whose."""

import json

import pytest
from pytest_django import Settings

from api.live.lists import LISTS
from api.urls import urlpatterns as api_urlpatterns
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from hosting.live_streams import prefers_events
from podcasts.models import Show
from tests.conftest import People
from tests.factories import ShowFactory
from tests.live.list_listening import APPLICATION, EVENTS, episodes, listen, status
from tests.live.streaming import Stream, stream
from tests.programs import program, token_of_organization, token_of_person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]


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


def test_every_list_that_says_so_has_a_stream_and_no_other() -> None:
    streamed = {
        str(pattern.pattern): view
        for pattern in api_urlpatterns
        if getattr(view := getattr(pattern.callback, "view_class", None), "is_streamed", False)
    }
    assert streamed == {address: one.view for address, one in LISTS.items()}


def test_who_asks_too_often_is_told_when_to_come_back(
    people: People, show: Show, settings: Settings
) -> None:
    settings.API_RATE = 3  # one in twenty seconds
    owner = people.client("owner")
    assert [status(owner, episodes(show)) for _ in range(3)] == [200] * 3

    async def talk(found: Stream) -> None:
        assert json.loads(await found.read())["code"] == "throttled"

    refused = listen(owner, episodes(show), talk)
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 20
