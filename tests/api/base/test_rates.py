"""How often one may ask: told with every answer, and refused with the time to wait."""

from typing import Any

import pytest
from channels.auth import UserLazyObject
from django.test import Client
from django.utils.functional import SimpleLazyObject
from redis.exceptions import ConnectionError as NoValkeyError

from api.base.rates import Asker, asker_of
from apps.accounts.bearers import find_actor
from tests.conftest import People
from tests.programs import program, token_of_organization, token_of_person


@pytest.fixture(autouse=True)
def _few(settings: Any, clean_valkey: None) -> None:
    settings.API_RATE, settings.API_RATE_ANONYMOUS = 3, 1


def ask(client: Client) -> Any:
    return client.get("/api/v1/shows/")


def test_each_answer_says_what_is_left(people: People) -> None:
    client = people.client("analyst")
    answers = [ask(client) for _ in range(3)]
    assert [answer["RateLimit-Policy"] for answer in answers] == ['"api";q=3;w=60'] * 3
    left = [answer["RateLimit"] for answer in answers]
    assert [text.split(";")[1] for text in left] == ["r=2", "r=1", "r=0"]
    assert [text.split(";")[2] for text in left] == ["t=20", "t=40", "t=60"]


def test_who_asks_too_often_is_told_when_to_come_back(people: People) -> None:
    client = people.client("analyst")
    for _ in range(3):
        assert ask(client).status_code == 200
    refused = ask(client)
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert 1 <= int(refused["Retry-After"]) <= 20
    assert refused["RateLimit"].startswith('"api";r=0;t=')


def test_a_refusal_costs_nothing(people: People) -> None:
    client = people.client("analyst")
    waits = [int(ask(client).get("Retry-After", 0)) for _ in range(8)]
    assert waits[:3] == [0, 0, 0]
    assert all(wait <= 20 for wait in waits)


def test_everybody_has_limits_of_their_own(people: People) -> None:
    for _ in range(4):
        ask(people.client("analyst"))
    assert ask(people.client("editor")).status_code == 200


def test_one_person_is_one_asker_through_whichever_door(people: People) -> None:
    """DRF knows a session's person by a lazy object, and Channels by a lazy object of its own."""
    of_channels = UserLazyObject()
    of_channels._wrapped = people.editor
    doors = [people.editor, SimpleLazyObject(lambda: people.editor), of_channels]
    assert {asker_of(actor) for actor in doors} == {Asker(f"person:{people.editor.pk}", 3)}


def test_a_token_is_another_asker_than_its_person(people: People) -> None:
    token, secret = token_of_person(people.editor)
    assert asker_of(find_actor(secret)).name == f"token:{token.pk}"
    for _ in range(4):
        ask(people.client("editor"))
    assert ask(program(secret)).status_code == 200


def test_the_signed_out_share_those_of_their_address(people: People) -> None:
    client = people.client("anonymous")
    assert ask(client).status_code in {401, 403}
    assert ask(client).status_code == 429


def test_another_token_is_not_another_quota_for_ever(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.base.rates.MOST_AT_FULL_RATE", 2)
    of_person = [program(token_of_person(people.analyst)[1]) for _ in range(3)]
    of_machine = [program(token_of_organization(people.organization)[1]) for _ in range(3)]
    for programs in (of_person, of_machine):
        said = [ask(client) for client in programs for _ in range(3)]
        assert [answer.status_code for answer in said] == [200] * 6 + [429] * 3
        assert said[-1]["RateLimit"].startswith('"api";r=0;t=')
        assert 1 <= int(said[-1]["Retry-After"]) <= 10
    assert ask(people.client("analyst")).status_code == 200
    assert ask(program(token_of_person(people.editor)[1])).status_code == 200


def test_all_addresses_of_an_ipv6_network_share_their_limits(people: People) -> None:
    def at(address: str) -> int:
        return int(ask(Client(REMOTE_ADDR=address)).status_code)

    assert at("2001:db8:1:2::1") in {401, 403}
    assert at("2001:db8:1:2:ffff::2") == 429
    assert at("2001:db8:1:3::1") in {401, 403}


def test_nobody_is_stopped_because_nobody_can_count(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise NoValkeyError("away")

    monkeypatch.setattr("apps.core.buckets._script", away)
    answer = ask(people.client("analyst"))
    assert answer.status_code == 200
    assert "RateLimit" not in answer
