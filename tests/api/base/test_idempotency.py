"""A POST that is sent twice with the same key: one change, and the same answer."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from time_machine import travel

from api.base.idempotency import LIFETIME, forget_old_answers
from api.models import KeptAnswer
from apps.core.clock import now
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import ShowFactory
from tests.programs import program, token_of_organization, token_of_person
from tests.uploading import Sender


@pytest.fixture
def show(people: People, clean_valkey: None) -> Show:
    found: Show = ShowFactory(organization=people.organization)
    return found


def post(client: Client, show: Show, key: str | None, title: str = "A beginning") -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(
        f"/api/v1/shows/{show.id}/episodes/",
        {"title": title},
        content_type="application/json",
        headers=headers,
    )


def test_the_same_key_makes_one_episode(people: People, show: Show) -> None:
    client = people.client("editor")
    first, second = post(client, show, "k1"), post(client, show, "k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    told = ("Location", "ETag", "Cache-Control")
    assert [first[name] for name in told] == [second[name] for name in told]
    assert Episode.objects.count() == 1


def test_a_repeated_answer_has_no_secret_and_nothing_keeps_it(people: People) -> None:
    client, new = people.client("editor"), {"name": "Backup", "scopes": ["read"]}
    first, second = (
        client.post(
            "/api/v1/tokens/",
            new,
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )
        for _ in range(2)
    )
    assert second.json() == first.json() | {"secret": None}
    assert second["Idempotency-Replayed"] == "true"
    assert first["Cache-Control"] == second["Cache-Control"] == "no-store"


def test_addresses_that_are_good_for_an_hour_are_not_kept(people: People, show: Show) -> None:
    sender = Sender(people.client("editor"), people.organization.id, b"1234567890")
    sender.open()
    path = f"/api/v1/uploads/{sender.upload['id']}/part-urls/"
    found = []
    for hours in (0, 2):
        with travel(now() + timedelta(hours=hours), tick=False):
            answer = sender.client.post(
                path,
                {"parts": sender.claims()},
                content_type="application/json",
                headers={"Idempotency-Key": "k1"},
            )
        assert "Idempotency-Replayed" not in answer
        found.append(answer.json()[0]["url"])
    assert found[0] != found[1]
    assert KeptAnswer.objects.count() == 0


def test_other_keys_and_none_make_others(people: People, show: Show) -> None:
    client = people.client("editor")
    for key in ("k1", "k2", None, None):
        assert post(client, show, key).status_code == 201
    assert Episode.objects.count() == 4


def test_a_key_is_ones_own(people: People, show: Show) -> None:
    for name in ("editor", "admin"):
        assert "Idempotency-Replayed" not in post(people.client(name), show, "k1")
    assert Episode.objects.count() == 2


def test_a_key_can_not_be_used_for_another_request(people: People, show: Show) -> None:
    client = people.client("editor")
    post(client, show, "k1")
    refused = post(client, show, "k1", title="Another one")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Episode.objects.count() == 1


def test_what_was_refused_can_be_tried_again_with_its_key(people: People, show: Show) -> None:
    client = people.client("editor")
    assert post(client, show, "k1", title="").status_code == 400
    assert KeptAnswer.objects.count() == 0
    assert post(client, show, "k1").status_code == 201


def test_a_failure_of_ours_leaves_nothing_behind(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = people.client("editor")
    client.raise_request_exception = False

    def break_down(*args: Any, **options: Any) -> None:
        raise RuntimeError("out of order")

    with monkeypatch.context() as patched:
        patched.setattr("api.episodes.views.EpisodesView.row_answer", break_down)
        assert post(client, show, "k1").status_code == 500
    assert Episode.objects.count() == 0
    assert post(client, show, "k1").status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_a_length(key: str, people: People, show: Show) -> None:
    refused = post(people.client("editor"), show, key)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_idempotency_key")


def test_a_stranger_learns_nothing_from_a_key(people: People, show: Show) -> None:
    post(people.client("editor"), show, "k1")
    assert post(people.client("stranger"), show, "k1").status_code == 404


def test_answers_are_kept_for_a_day_and_sealed(people: People, show: Show) -> None:
    client = people.client("editor")
    post(client, show, "k1", title="Not for everybody")
    assert b"Not for everybody" not in bytes(KeptAnswer.objects.get().sealed)
    with travel(now() + LIFETIME + timedelta(seconds=1), tick=False):
        assert "Idempotency-Replayed" not in post(client, show, "k1", title="Not for everybody")
        assert KeptAnswer.objects.count() == 1
    with travel(now() + 3 * LIFETIME, tick=False):
        assert forget_old_answers() == 1


def test_what_is_kept_for_one_has_a_bound(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.base.idempotency.MOST_ANSWERS", 2)
    client = people.client("editor")
    programs = [program(token_of_person(people.editor)[1]) for _ in range(2)]
    for number, asking in enumerate(programs):
        assert post(asking, show, f"k{number}").status_code == 201
    # Not of each token: anybody can make another.
    for asking in [*programs, client]:
        refused = post(asking, show, "k9")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_keys")
    assert post(programs[0], show, "k0")["Idempotency-Replayed"] == "true"
    assert post(client, show, None).status_code == 201
    assert post(people.client("admin"), show, "k9").status_code == 201
    KeptAnswer.objects.update(created_at=now() - LIFETIME)
    assert post(client, show, "k9").status_code == 201


def test_an_organisations_tokens_share_their_room_and_it_is_measured_in_bytes(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.base.idempotency.MOST_BYTES", 100)
    programs = [program(token_of_organization(people.organization)[1]) for _ in range(2)]
    assert post(programs[0], show, "k1").status_code == 201
    assert KeptAnswer.objects.get().size_bytes > 100
    assert post(programs[1], show, "k2").json()["code"] == "too_many_keys"
    assert post(people.client("editor"), show, "k2").status_code == 201


def test_a_secret_is_not_shown_again(people: People, show: Show) -> None:
    client = people.client("owner")
    for address, body in [
        ("/api/v1/tokens/", {"name": "A", "scopes": ["read"]}),
        (
            f"/api/v1/organizations/{people.organization.id}/tokens/",
            {"name": "A", "scopes": ["read"], "role": "editor"},
        ),
    ]:
        first, second = (
            client.post(
                address, body, content_type="application/json", headers={"Idempotency-Key": address}
            )
            for _ in range(2)
        )
        assert first.json()["secret"].startswith("lw_")
        assert second.json() == first.json() | {"secret": None}


@pytest.mark.parametrize("key", ["k1", None])
@pytest.mark.parametrize("text", [r"\ud800", r"a\udfff", r"\udc00\ud800"])
def test_half_a_character_is_refused(
    text: str, key: str | None, people: People, show: Show
) -> None:
    client = people.client("editor")
    for body in ('{"title":"%s"}', '{"%s":1}', '{"title":["%s"]}'):
        refused = client.post(
            f"/api/v1/shows/{show.id}/episodes/",
            body % text,
            content_type="application/json",
            headers={"Idempotency-Key": key} if key else {},
        )
        assert (refused.status_code, refused.json()["code"]) == (400, "parse_error")
    whole = client.post(
        f"/api/v1/shows/{show.id}/episodes/",
        r'{"title":"\ud83d\ude00"}',
        content_type="application/json",
    )
    assert whole.json()["title"] == "😀"


def test_an_answer_that_was_sealed_with_another_key_is_not_given(
    people: People, show: Show
) -> None:
    client = people.client("editor")
    post(client, show, "k1")
    KeptAnswer.objects.update(sealed=b"something else altogether")
    refused = post(client, show, "k1")
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_expired")


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one(people: People, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one comes while the first is still at work."""
    is_at_work, may_go_on = threading.Event(), threading.Event()
    answers: list[Any] = []

    def slowly(episode: Episode) -> None:
        is_at_work.set()
        if not may_go_on.wait(20):
            raise ValidationError("waited in vain")

    monkeypatch.setattr("podcasts.services.episodes.Episode.clean_fields", lambda e, **_: slowly(e))
    client = people.client("editor")

    def first() -> None:
        try:
            answers.append(post(client, show, "k1"))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert is_at_work.wait(20)
    refused = post(people.client("editor"), show, "k1")
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_in_use")
    may_go_on.set()
    thread.join(20)
    assert answers[0].status_code == 201
    assert post(client, show, "k1")["Idempotency-Replayed"] == "true"
    assert Episode.objects.count() == 1
