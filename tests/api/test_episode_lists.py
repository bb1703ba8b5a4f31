"""Lists of episodes over HTTP: within a show and across shows, and what one of them says."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.clock import now
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import (
    AssetFactory,
    EpisodeFactory,
    MembershipFactory,
    ShowFactory,
)


@pytest.fixture
def show(people: People) -> Show:
    """A show of ours."""
    return ShowFactory(organization=people.organization)


def titles(people: People, address: str) -> list[str]:
    """What an analyst sees."""
    response = people.client("analyst").get(f"/api/v1/{address}")
    assert response.status_code == 200, response.content
    return [episode["title"] for episode in response.json()["results"]]


def test_the_list_across_shows_has_the_living_ones_that_one_may_see(
    people: People, show: Show
) -> None:
    EpisodeFactory(show=show, title="Ours")
    EpisodeFactory(show__organization=people.organization, title="Of another show", status="draft")
    EpisodeFactory(show=show, title="Deleted", deleted_at=now())
    EpisodeFactory(title="Theirs")
    other = EpisodeFactory(title="Of another organisation")
    MembershipFactory(organization=other.organization, user=people.analyst, role="analyst")
    assert sorted(titles(people, "episodes/")) == [
        "Of another organisation",
        "Of another show",
        "Ours",
    ]
    assert titles(people, f"episodes/?show={show.pk}") == ["Ours"]
    assert titles(people, f"episodes/?organization={other.organization_id}") == [
        "Of another organisation"
    ]
    assert titles(people, "episodes/?status=draft") == ["Of another show"]
    assert titles(people, "episodes/?search=another&ordering=title") == [
        "Of another organisation",
        "Of another show",
    ]
    stranger = people.client("stranger")
    assert stranger.get("/api/v1/episodes/").json()["results"] == []
    assert stranger.get(f"/api/v1/episodes/?show={show.pk}").json()["results"] == []


@pytest.mark.parametrize("query", ["show=ours", "status=gone", "serie=2", "ordering=status"])
def test_a_filter_that_makes_no_sense_is_refused(query: str, people: People) -> None:
    response = people.client("analyst").get(f"/api/v1/episodes/?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"][0]["parameter"] == query.partition("=")[0]


# --- Chapters and notes ---------------------------------------------------------------------------

CHAPTERS = [
    {"start_ms": 0, "end_ms": 61_000, "title": "Begin"},
    {"start_ms": 61_000, "end_ms": 90_000, "title": "End"},
]


def test_chapters_are_those_of_the_file_of_a_draft_as_well(people: People, show: Show) -> None:
    asset = AssetFactory(organization=people.organization, chapters=CHAPTERS)
    episode = EpisodeFactory(show=show, audio=asset, status="draft", published_at=None)
    address = f"/api/v1/episodes/{episode.pk}/chapters/"
    seen = {"stranger": 404, "staff": 404, "analyst": 200, "owner": 200}
    for name, status in seen.items():
        assert people.client(name).get(address).status_code == status, name
    body = people.client("analyst").get(address).json()
    assert body == {"id": str(episode.pk), "audio": str(asset.pk), "chapters": CHAPTERS}
    Episode.objects.filter(pk=episode.pk).update(audio=None)
    body = people.client("analyst").get(address).json()
    assert body == {"id": str(episode.pk), "audio": None, "chapters": []}


def test_notes_are_shown_as_listeners_see_them(people: People) -> None:
    def preview(**body: Any) -> Any:
        return people.client("analyst").post(
            "/api/v1/notes-preview/", body, content_type="application/json"
        )

    html = preview(notes="# Hi\n<script>x</script> [a](https://example.org)").json()["html"]
    assert "<h2>Hi</h2>" in html
    assert "<script>" not in html
    assert preview(notes="").json() == {"html": ""}
    for wrong in ({}, {"notes": None}, {"notes": "x" * 100_001}):
        response = preview(**wrong)
        assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_notes_are_stored_as_they_are_previewed(people: People, show: Show) -> None:
    notes = "    an indented code block\n\nand text\n"
    editor = people.client("editor")
    asked: dict[str, Any] = {"content_type": "application/json"}
    shown = editor.post("/api/v1/notes-preview/", {"notes": notes}, **asked).json()["html"]
    assert "<pre>" in shown
    episode = EpisodeFactory(show=show)
    one = editor.patch(f"/api/v1/episodes/{episode.pk}/", {"notes": notes}, **asked).json()
    assert (one["notes"], one["notes_html"]) == (notes, shown)
    body = {"action": "update", "episodes": [str(episode.pk)], "changes": {"notes": notes}}
    Episode.objects.filter(pk=episode.pk).update(notes="")
    assert editor.post(f"/api/v1/shows/{show.pk}/episodes/bulk/", body, **asked).status_code == 200
    episode.refresh_from_db()
    assert episode.notes == notes


def test_a_scheduled_one_that_is_due_is_listed_as_published(people: People, show: Show) -> None:
    for title, hours in [("Due", -1), ("To come", 1)]:
        EpisodeFactory(
            show=show,
            title=title,
            status="scheduled",
            published_at=now() + timedelta(hours=hours),
        )
    assert titles(people, "episodes/?status=published") == ["Due"]
    assert titles(people, "episodes/?status=scheduled") == ["To come"]
