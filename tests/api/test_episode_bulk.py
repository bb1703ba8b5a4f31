"""One change to many episodes over HTTP: each succeeds or fails by itself."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.core.clock import now
from podcasts.feeds import publish
from podcasts.models import Episode, Show
from podcasts.services import publishing
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory, WebhookEndpointFactory

HOUR = timedelta(hours=1)


@pytest.fixture
def show(people: People) -> Show:
    """A show of ours."""
    return ShowFactory(organization=people.organization)


def ask(people: People, show: Show, action: str, *episodes: Any, **more: Any) -> Any:
    """What the editor is answered."""
    ids = [str(getattr(episode, "pk", episode)) for episode in episodes]
    return people.client("editor").post(
        f"/api/v1/shows/{show.pk}/episodes/bulk/",
        {"action": action, "episodes": ids} | more,
        content_type="application/json",
    )


def fared(response: Any) -> list[str | None]:
    """The code of each result, None for what was done."""
    assert response.status_code == 200, response.content
    body = response.json()
    codes = [found["problem"] and found["problem"]["code"] for found in body["results"]]
    assert [found["is_done"] for found in body["results"]] == [code is None for code in codes]
    assert (body["done_count"], body["refused_count"]) == (
        codes.count(None),
        len(codes) - codes.count(None),
    )
    return codes


def draft(show: Show, **fields: Any) -> Episode:
    return EpisodeFactory(**{"show": show, "status": "draft", "published_at": None} | fields)


def test_each_fares_by_itself_and_is_told_of_in_order(people: People, show: Show) -> None:
    ready, silent, foreign = draft(show), draft(show, audio=None), EpisodeFactory()
    deleted, other_show = draft(show, deleted_at=now()), draft(ShowFactory())
    wanted = [silent, ready, foreign, deleted, other_show, UUID(int=4)]
    response = ask(people, show, "publish", *wanted)
    assert fared(response) == ["audio_missing", None, *["not_found"] * 4]
    results = response.json()["results"]
    assert [found["id"] for found in results] == [str(getattr(e, "pk", e)) for e in wanted]
    assert results[0]["problem"]["status"] == 409
    assert "no audio" in results[0]["problem"]["detail"]
    statuses = {e.pk: e.status for e in Episode.objects.all()}
    assert statuses[ready.pk] == "published"
    assert {statuses[e.pk] for e in (silent, deleted, other_show)} == {"draft"}


def test_every_action_does_what_the_single_one_does(people: People, show: Show) -> None:
    episode = draft(show)

    def stored() -> tuple[str, bool]:
        row = Episode.objects.get(pk=episode.pk)
        return row.status, row.deleted_at is not None

    later = (now() + HOUR).isoformat()
    assert fared(ask(people, show, "schedule", episode, publish_at=later)) == [None]
    assert stored() == ("scheduled", False)
    assert fared(ask(people, show, "unschedule", episode)) == [None]
    assert stored() == ("draft", False)
    old = "2020-01-01T00:00:00Z"
    assert fared(ask(people, show, "publish", episode, published_at=old)) == [None]
    assert Episode.objects.get(pk=episode.pk).published_at.year == 2020  # type: ignore[union-attr]
    assert fared(ask(people, show, "unpublish", episode)) == [None]
    assert stored() == ("unpublished", False)
    assert fared(ask(people, show, "unpublish", episode)) == ["not_public"]
    assert fared(ask(people, show, "delete", episode)) == [None]
    assert stored() == ("unpublished", True)
    assert fared(ask(people, show, "delete", episode)) == ["not_found"]
    assert fared(ask(people, show, "restore", episode)) == [None]
    assert stored() == ("unpublished", False)
    assert fared(ask(people, show, "restore", episode)) == ["not_found"]


def test_a_set_of_fields_is_changed_and_nothing_else(people: People, show: Show) -> None:
    one, two = draft(show, title="One"), draft(show, title="Two")
    changes = {"season_number": 3, "is_explicit": True}
    assert fared(ask(people, show, "update", one, two, changes=changes)) == [None, None]
    stored = Episode.objects.filter(show=show).order_by("title")
    assert [(e.title, e.season_number, e.is_explicit) for e in stored] == [
        ("One", 3, True),
        ("Two", 3, True),
    ]


def test_a_refused_row_says_what_the_single_request_would(people: People, show: Show) -> None:
    Show.objects.filter(pk=show.pk).update(type="serial")
    public = EpisodeFactory(show=show, episode_number=1)
    idea = draft(show, episode_number=2)
    change = {"episode_number": None}
    response = ask(people, show, "update", public, idea, changes=change)
    single = people.client("editor").patch(
        f"/api/v1/episodes/{public.pk}/", change, content_type="application/json"
    )
    assert (single.status_code, single.json()["code"]) == (409, "number_missing")
    assert response.json()["results"][0]["problem"] == single.json()
    assert [found["is_done"] for found in response.json()["results"]] == [False, True]
    public.refresh_from_db()
    assert public.episode_number == 1


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"action": "burn"}, "#/action", "invalid_choice"),
        ({"action": None}, "#/action", "null"),
        ({"episodes": []}, "#/episodes", "empty"),
        ({"episodes": [str(UUID(int=n)) for n in range(101)]}, "#/episodes", "max_length"),
        ({"episodes": [str(UUID(int=1))] * 2}, "#/episodes", "duplicate"),
        ({"episodes": ["one"]}, "#/episodes/0", "invalid"),
        ({"action": "schedule"}, "#/publish_at", "required"),
        ({"action": "update"}, "#/changes", "required"),
        ({"action": "update", "changes": {}}, "#/changes", "required"),
        (
            {"action": "update", "changes": {"episode_number": 0}},
            "#/changes/episode_number",
            "min_value",
        ),
        ({"published_at": "2999-01-01T00:00:00Z"}, "#/published_at", "future_date"),
    ],
)
def test_a_request_that_makes_no_sense_touches_nothing(
    change: dict[str, Any], pointer: str, code: str, people: People, show: Show
) -> None:
    episode = draft(show)
    body = {"action": "publish", "episodes": [str(episode.pk)]} | change
    response = people.client("editor").post(
        f"/api/v1/shows/{show.pk}/episodes/bulk/", body, content_type="application/json"
    )
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    episode.refresh_from_db()
    assert episode.status == "draft"


def test_only_editors_change_many(people: People, show: Show) -> None:
    episode = draft(show)
    body = {"action": "delete", "episodes": [str(episode.pk)]}
    for name, status in {"stranger": 404, "staff": 404, "analyst": 403, "editor": 200}.items():
        assert Episode.objects.get(pk=episode.pk).deleted_at is None
        response = people.client(name).post(
            f"/api/v1/shows/{show.pk}/episodes/bulk/", body, content_type="application/json"
        )
        assert response.status_code == status, name
    assert Episode.objects.get(pk=episode.pk).deleted_at is not None


def test_the_feed_is_rendered_once_for_all(
    people: People,
    show: Show,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    audio = AssetFactory(organization=people.organization)
    episodes = [draft(show, audio=audio) for _ in range(5)]
    rendered: list[UUID] = []
    plain = publish.refresh_feed

    def counting(show_id: UUID) -> None:
        rendered.append(show_id)
        plain(show_id)

    monkeypatch.setattr(publish, "refresh_feed", counting)
    with django_capture_on_commit_callbacks(execute=True):
        assert fared(ask(people, show, "publish", *episodes)) == [None] * 5
    assert rendered == [show.pk]
    show.refresh_from_db()
    assert show.feed_stale_since is None
    assert bytes(show.feed_document.xml).count(b"<item>") == 5


@pytest.mark.django_db(transaction=True)
def test_an_error_of_ours_in_the_middle_leaves_nothing_half_done(
    people: People, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = draft(show), draft(show)
    plain = publishing._save

    def die_at_the_second(episode: Episode, *, was_public: bool) -> None:
        if episode.pk == two.pk:
            raise RuntimeError("killed")
        plain(episode, was_public=was_public)

    monkeypatch.setattr(publishing, "_save", die_at_the_second)
    client = people.client("editor")
    client.raise_request_exception = False
    response = client.post(
        f"/api/v1/shows/{show.pk}/episodes/bulk/",
        {"action": "publish", "episodes": [str(one.pk), str(two.pk)]},
        content_type="application/json",
    )
    assert response.status_code == 500
    assert set(Episode.objects.values_list("status", flat=True)) == {"draft"}


def test_a_hundred_are_done_in_one_request_and_a_repeated_key_does_them_once(
    people: People, show: Show
) -> None:
    audio = AssetFactory(organization=people.organization)
    episodes = [draft(show, audio=audio) for _ in range(100)]
    body = {"action": "publish", "episodes": [str(e.pk) for e in episodes]}
    answers = [
        people.client("editor").post(
            f"/api/v1/shows/{show.pk}/episodes/bulk/",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "a hundred"},
        )
        for _ in range(2)
    ]
    assert fared(answers[0]) == [None] * 100
    assert answers[0].json() == answers[1].json()
    assert Episode.objects.filter(status="published").count() == 100


# A savepoint for the episode and one for its service, the row held and written, who wants to know.
QUERIES_PER_EPISODE = 7
# With webhooks: a savepoint, the event, the endpoints held, the deliveries, the file named.
AND_WITH_WEBHOOKS = 6


@pytest.mark.parametrize("action", ["delete", "restore"])
@pytest.mark.parametrize("has_webhook", [False, True])
def test_each_further_episode_costs_a_handful_of_queries_and_is_told_with_the_others(
    people: People,
    show: Show,
    action: str,
    has_webhook: bool,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr("apps.webhooks.tasks.send_due.delay", lambda: None)
    if has_webhook:
        WebhookEndpointFactory(organization=people.organization)
    deleted_at = now() if action == "restore" else None
    costs = []
    for count in (2, 20):
        episodes = EpisodeFactory.create_batch(count, show=show, deleted_at=deleted_at)
        with (
            CaptureQueriesContext(connection) as inside,
            django_capture_on_commit_callbacks() as callbacks,
        ):
            assert fared(ask(people, show, action, *episodes)) == [None] * count
        with CaptureQueriesContext(connection) as after:
            for call in callbacks:
                call()
        costs.append((len(inside), len(after)))
    (few, few_after), (many, many_after) = costs
    assert many - few <= 18 * (QUERIES_PER_EPISODE + AND_WITH_WEBHOOKS * has_webhook)
    assert many_after <= few_after
