"""What an editor's program does with one episode: publish, plan, withdraw, restore."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.clock import now
from apps.media.models import AssetStatus
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory

HOUR = timedelta(hours=1)


@pytest.fixture
def draft(people: People) -> Episode:
    """A draft with audio."""
    return EpisodeFactory(show__organization=people.organization, status="draft", published_at=None)


def act(people: People, episode: Episode, action: str, **body: Any) -> Any:
    """What the editor is answered."""
    return people.client("editor").post(
        f"/api/v1/episodes/{episode.pk}/{action}/", body, content_type="application/json"
    )


def change(episode: Episode, **fields: Any) -> None:
    """Make it so, as if it had always been."""
    Episode.objects.filter(pk=episode.pk).update(**fields)


def test_a_draft_is_published_now(people: People, draft: Episode) -> None:
    response = act(people, draft, "publish")
    assert response.status_code == 200
    assert response.json()["status"] == "published"
    draft.refresh_from_db()
    assert draft.published_at is not None
    assert now() - draft.published_at < timedelta(minutes=1)
    assert response["ETag"] == people.client("editor").get(f"/api/v1/episodes/{draft.pk}/")["ETag"]


def test_a_draft_is_published_with_a_date_in_the_past(people: People, draft: Episode) -> None:
    response = act(people, draft, "publish", published_at="2019-05-04T03:02:01+02:00")
    assert (response.status_code, response.json()["published_at"]) == (200, "2019-05-04T01:02:01Z")


def test_a_date_to_come_is_scheduled_and_never_published_by_mistake(
    people: People, draft: Episode
) -> None:
    at = (now() + HOUR).isoformat()
    refused = act(people, draft, "publish", published_at=at)
    assert refused.status_code == 400
    assert [error["code"] for error in refused.json()["errors"]] == ["future_date"]
    planned = act(people, draft, "schedule", publish_at=at)
    assert (planned.status_code, planned.json()["status"]) == (200, "scheduled")
    taken_back = act(people, draft, "unschedule").json()
    assert (taken_back["status"], taken_back["published_at"]) == ("draft", None)


def test_without_audio_publishing_waits_for_it(people: People, draft: Episode) -> None:
    waiting = AssetFactory(organization=people.organization, status=AssetStatus.PROCESSING)
    change(draft, audio=None, incoming_audio=waiting)
    body = act(people, draft, "publish").json()
    assert (body["status"], body["is_published_when_ready"]) == ("draft", True)
    body = act(people, draft, "unschedule").json()
    assert (body["status"], body["is_published_when_ready"]) == ("draft", False)


def test_what_was_withdrawn_comes_back_with_its_date(people: People, draft: Episode) -> None:
    first = act(people, draft, "publish", published_at="2020-01-01T00:00:00Z").json()
    assert act(people, draft, "unpublish").json()["status"] == "unpublished"
    again = act(people, draft, "publish").json()
    assert again["published_at"] == first["published_at"]


@pytest.mark.parametrize(
    ("given", "action", "body", "status", "code"),
    [
        ({"audio": None}, "publish", {}, 409, "audio_missing"),
        ({"show_type": "serial"}, "publish", {}, 409, "number_missing"),
        ({}, "schedule", {"publish_at": "2020-01-01T00:00:00Z"}, 400, "past_date"),
        ({}, "schedule", {}, 400, "invalid"),
        ({}, "schedule", {"publish_at": "soon"}, 400, "invalid"),
        ({}, "publish", {"published_at": "0001-01-01T00:00:00+14:00"}, 400, "invalid"),
        ({}, "unpublish", {}, 409, "not_public"),
        (
            {"status": "published", "published_at": "2020-01-01T00:00:00Z"},
            "unschedule",
            {},
            409,
            "already_public",
        ),
    ],
)
def test_what_is_refused_has_a_code_and_changes_nothing(
    given: dict[str, Any],
    action: str,
    body: dict[str, Any],
    status: int,
    code: str,
    people: People,
    draft: Episode,
) -> None:
    show_type = given.pop("show_type", None)
    if show_type:
        draft.show.type = show_type
        draft.show.save()
    change(draft, **{"title": "As it was"} | given)
    before = Episode.objects.filter(pk=draft.pk).values().get()
    response = act(people, draft, action, **body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert Episode.objects.filter(pk=draft.pk).values().get() == before


def test_a_failed_file_is_no_audio(people: People, draft: Episode) -> None:
    failed = AssetFactory(
        organization=people.organization, status=AssetStatus.FAILED, error_message="Broken."
    )
    change(draft, audio=None, incoming_audio=failed)
    response = act(people, draft, "publish")
    assert (response.status_code, response.json()["code"]) == (409, "audio_failed")


def test_what_is_wrong_with_a_date_is_pointed_at(people: People, draft: Episode) -> None:
    body = act(people, draft, "schedule", publish_at="2020-01-01T00:00:00Z").json()
    assert [error["pointer"] for error in body["errors"]] == ["#/publish_at"]


def test_a_deleted_episode_is_restored_once_and_twice(people: People, draft: Episode) -> None:
    address = f"/api/v1/episodes/{draft.pk}/"
    editor = people.client("editor")
    assert editor.delete(address).status_code == 204
    assert editor.get(address).status_code == 404
    assert act(people, draft, "publish").status_code == 404
    for _ in range(2):
        response = act(people, draft, "restore")
        assert (response.status_code, response.json()["id"]) == (200, str(draft.pk))
    assert editor.get(address).status_code == 200


def test_an_episode_in_a_deleted_show_comes_back_with_the_show_only(
    people: People, draft: Episode
) -> None:
    draft.show.deleted_at = now()
    draft.show.save()
    change(draft, deleted_at=now())
    assert act(people, draft, "restore").status_code == 404


ACTIONS = ["publish", "schedule", "unschedule", "unpublish"]


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_done_to_an_episode_that_has_changed_meanwhile(
    action: str, people: People, draft: Episode
) -> None:
    """Each action would succeed: only the tag is in its way."""
    is_public = action == "unpublish"
    change(
        draft,
        status="published" if is_public else "draft",
        published_at=now() - HOUR if is_public else None,
    )
    editor, address = people.client("editor"), f"/api/v1/episodes/{draft.pk}/"
    body = {"publish_at": (now() + HOUR).isoformat()} if action == "schedule" else {}
    seen = editor.get(address)["ETag"]
    editor.patch(address, {"title": "Changed meanwhile"}, content_type="application/json")

    def ask(tag: str) -> Any:
        return editor.post(
            f"{address}{action}/",
            body,
            content_type="application/json",
            headers={"If-Match": tag},
        )

    before = Episode.objects.filter(pk=draft.pk).values().get()
    late = ask(seen)
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert Episode.objects.filter(pk=draft.pk).values().get() == before
    assert ask(editor.get(address)["ETag"]).status_code == 200


@pytest.mark.parametrize("action", [*ACTIONS, "restore"])
def test_only_editors_act(action: str, people: People, draft: Episode) -> None:
    expected = {"anonymous": 401, "stranger": 404, "staff": 404, "analyst": 403}
    for name, status in expected.items():
        client = people.client(name)
        response = client.post(
            f"/api/v1/episodes/{draft.pk}/{action}/", {}, content_type="application/json"
        )
        assert response.status_code == status, name
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_repeated_key_publishes_once(people: People, draft: Episode) -> None:
    editor, address = people.client("editor"), f"/api/v1/episodes/{draft.pk}/publish/"
    headers = {"Idempotency-Key": "once"}
    first = editor.post(address, {}, content_type="application/json", headers=headers)
    act(people, draft, "unpublish")
    again = editor.post(address, {}, content_type="application/json", headers=headers)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    draft.refresh_from_db()
    assert draft.status == "unpublished"


def test_a_new_episode_takes_its_texts_and_numbers(people: People) -> None:
    show = ShowFactory(organization=people.organization)
    body = {"title": "One", "notes": "*Hi*", "season_number": 2, "episode_number": 7}
    response = people.client("editor").post(
        f"/api/v1/shows/{show.pk}/episodes/", body, content_type="application/json"
    )
    assert response.status_code == 201
    made = response.json()
    assert {name: made[name] for name in body} == body
    assert (made["status"], made["notes_html"]) == ("draft", "<p><em>Hi</em></p>")
    assert Episode.objects.get(pk=made["id"]).created_by == people.editor
