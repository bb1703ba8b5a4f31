"""Streams of events for programs with a token: who gets one, and how soon it ends."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path

from api.live.streams import BoardStream
from apps.accounts.models import ApiToken, Membership
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.accounts.services import deactivate_person, remove_member
from apps.accounts.tokens import revoke_token
from apps.core.clock import now
from apps.live.groups import Kind
from hosting.live_streams import LiveStreams
from podcasts.models import Episode
from podcasts.services.trash import delete_show
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.live.streaming import Stream, stream
from tests.live.test_streams import elsewhere
from tests.programs import UNKNOWN_SECRET, program, token_of_organization, token_of_person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_valkey"),
]
APPLICATION = LiveStreams(elsewhere)
ROUTE = path("api/v1/shows/<uuid:id>/live", BoardStream.as_asgi(kind=Kind.SHOW, pulse_seconds=0.02))
SOON = AuthMiddlewareStack(URLRouter([ROUTE]))


def addresses(episode: Episode) -> list[str]:
    """The organisation's stream, the show's, the episode's, another show's and the platform's."""
    other = EpisodeFactory(show__organization=episode.organization)
    return [
        f"/api/v1/organizations/{episode.organization_id}/live",
        f"/api/v1/shows/{episode.show_id}/live",
        f"/api/v1/episodes/{episode.id}/live",
        f"/api/v1/shows/{other.show_id}/live",
        "/api/v1/platform/live",
    ]


def answer(secret: str, target: str) -> tuple[int, str, dict[str, str]]:
    """The status, a problem's code and the headers."""
    first: list[str] = []

    async def talk(found: Stream) -> None:
        first.append(await found.read())

    found = stream(APPLICATION, program(secret), target, talk)
    code = "" if found.status == 200 else json.loads(first[0])["code"]
    return found.status, code, found.headers


def make(people: People, episode: Episode, kind: str) -> str:
    """The secret of a token of this kind."""
    match kind:
        case "person":
            return token_of_person(people.analyst, [Scope.STATS])[1]
        case "person, one show":
            return token_of_person(people.analyst, [Scope.STATS], show_id=episode.show_id)[1]
        case "organization":
            return token_of_organization(people.organization, Role.ANALYST, [Scope.STATS])[1]
        case "organization, one show":
            organization, show_id = people.organization, episode.show_id
            return token_of_organization(organization, scopes=[Scope.STATS], show_id=show_id)[1]
        case "stranger":
            return token_of_person(people.stranger)[1]
        case "staff":
            return token_of_person(people.staff)[1]
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("person", [200, 200, 200, 200, 404]),
        ("person, one show", [404, 200, 200, 404, 404]),
        ("organization", [200, 200, 200, 200, 404]),
        ("organization, one show", [404, 200, 200, 404, 404]),
        ("stranger", [404, 404, 404, 404, 404]),
        ("staff", [404, 404, 404, 404, 404]),
    ],
)
def test_a_token_gets_the_streams_of_what_it_may_see(
    people: People, episode: Episode, kind: str, answers: list[int]
) -> None:
    secret = make(people, episode, kind)
    assert [answer(secret, target)[0] for target in addresses(episode)] == answers


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE, Scope.UPLOADS])
def test_another_scope_is_too_narrow(people: People, episode: Episode, scope: Scope) -> None:
    _, secret = token_of_person(people.owner, [scope])
    status, code, headers = answer(secret, f"/api/v1/shows/{episode.show_id}/live")
    assert (status, code) == (403, "insufficient_scope")
    challenge = headers["www-authenticate"]
    assert challenge == 'Bearer realm="Longwave", error="insufficient_scope", scope="stats"'


def test_a_bad_token_is_refused_as_by_the_rest_of_the_api(people: People, episode: Episode) -> None:
    expired, expired_secret = token_of_person(people.owner)
    revoked, revoked_secret = token_of_person(people.owner)
    ApiToken.objects.filter(pk=expired.pk).update(expires_at=now() - timedelta(seconds=1))
    revoke_token(token=revoked)
    target = f"/api/v1/shows/{episode.show_id}/live"
    for secret in (expired_secret, revoked_secret, UNKNOWN_SECRET, "nonsense"):
        polled = program(secret).get(f"{target}/state/")
        status, code, headers = answer(secret, target)
        assert (status, code) == (polled.status_code, polled.json()["code"])
        assert headers["www-authenticate"] == polled.headers["WWW-Authenticate"]


def test_a_stream_counts_as_a_request(people: People, episode: Episode, settings: Any) -> None:
    settings.API_RATE, settings.API_RATE_ANONYMOUS = 2, 1
    _, secret = token_of_person(people.owner)
    target = f"/api/v1/shows/{episode.show_id}/live"
    said = [answer(secret, target) for _ in range(3)]
    assert [(status, code) for status, code, _ in said] == [
        (200, ""),
        (200, ""),
        (429, "throttled"),
    ]
    assert int(said[2][2]["retry-after"]) >= 1


def test_guessed_tokens_count_for_their_address(
    people: People, episode: Episode, settings: Any
) -> None:
    settings.API_RATE_ANONYMOUS = 1
    target = f"/api/v1/shows/{episode.show_id}/live"
    said = [answer(secret, target)[:2] for secret in (UNKNOWN_SECRET, "nonsense")]
    assert said == [(401, "invalid_token"), (429, "throttled")]


def test_one_has_only_so_many_streams_open(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.counted.MOST_STREAMS", 1)
    _, secret = token_of_person(people.owner)
    _, other = token_of_person(people.owner)
    target, said = f"/api/v1/shows/{episode.show_id}/live", []

    async def talk(found: Stream) -> None:
        await found.event()
        said.extend([await sync_to_async(answer)(one, target) for one in (secret, other)])

    stream(APPLICATION, program(secret), target, talk)
    assert [(status, code) for status, code, _ in said] == [(429, "too_many_streams"), (200, "")]
    assert answer(secret, target)[0] == 200  # the first one is over


def leave(people: People, token: ApiToken) -> None:
    member = Membership.objects.get(user=people.editor)
    remove_member(actor=Membership.objects.get(user=people.owner), membership=member)


def close(people: People, token: ApiToken) -> None:
    deactivate_person(user=people.editor)


def revoke(people: People, token: ApiToken) -> None:
    revoke_token(token=token)


def delete(people: People, token: ApiToken) -> None:
    delete_show(show=Episode.objects.select_related("show").get().show)


@pytest.mark.parametrize(
    ("whose", "happens", "says"),
    [
        ("person", revoke, "This token was revoked."),
        ("person", leave, "There is no such page."),
        ("person", close, "The account of this token is closed."),
        ("person", delete, "There is no such show."),
        ("organization", revoke, "This token was revoked."),
        ("organization", delete, "There is no such show."),
    ],
)
def test_an_open_stream_ends_at_once_when_its_token_may_no_more(
    people: People, episode: Episode, whose: str, happens: Any, says: str
) -> None:
    """The pulse is a quarter of a minute away: it is the change itself that says so."""
    token, secret = (
        token_of_person(people.editor)
        if whose == "person"
        else token_of_organization(people.organization)
    )
    last: list[dict[str, Any]] = []
    took: list[float] = []

    async def talk(found: Stream) -> None:
        await found.event()
        began = time.monotonic()
        await sync_to_async(happens)(people, token)
        last.append(await found.event())
        took.append(time.monotonic() - began)

    target = f"/api/v1/shows/{episode.show_id}/live"
    found = stream(APPLICATION, program(secret), target, talk)

    assert found.is_over
    assert (last[0]["type"], last[0]["detail"]) == ("end", says)
    assert took[0] < BoardStream.pulse_seconds * 0.6 / 2  # half of the soonest pulse


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"expires_at": now()}, "This token has expired: make a new one."),
        ({"scopes": ["read"]}, "This needs a token with the scope “stats”."),
    ],
)
def test_a_token_that_expires_or_is_narrowed_loses_its_stream_at_the_next_pulse(
    people: People, episode: Episode, change: Any, says: str
) -> None:
    token, secret = token_of_person(people.editor)
    last: list[dict[str, Any]] = []

    async def talk(found: Stream) -> None:
        await found.event()
        await ApiToken.objects.filter(pk=token.pk).aupdate(**change)
        last.append(await found.event())

    stream(SOON, program(secret), f"/api/v1/shows/{episode.show_id}/live", talk)

    assert (last[0]["type"], last[0]["detail"]) == ("end", says)


def test_one_tokens_end_is_not_anothers(people: People, episode: Episode) -> None:
    other, _ = token_of_person(people.editor)
    _, secret = token_of_person(people.editor)
    heard: list[str] = []

    async def talk(found: Stream) -> None:
        await found.event()
        await sync_to_async(revoke_token)(token=other)
        heard.append(await found.read())

    stream(SOON, program(secret), f"/api/v1/shows/{episode.show_id}/live", talk)

    assert heard == [": still here\n\n"]
