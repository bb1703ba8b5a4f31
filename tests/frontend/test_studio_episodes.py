"""The studio's pages of episodes: listed, edited, published, deleted through HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.clock import now
from apps.media.models import AssetStatus
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory

pytestmark = pytest.mark.usefixtures("clean_valkey")
HOUR = timedelta(hours=1)


@pytest.fixture
def show(people: People) -> Show:
    return ShowFactory(organization=people.organization, handle="ours")


@pytest.fixture
def draft(show: Show) -> Episode:
    return EpisodeFactory(show=show, status="draft", published_at=None, title="Draft", slug="draft")


@pytest.fixture
def client(people: People) -> Client:
    return people.client("editor")


def form(episode: Episode, **changes: Any) -> dict[str, Any]:
    return {"title": episode.title, "notes": episode.notes, "type": episode.type} | changes


def text(response: Any) -> str:
    return str(response.content.decode())


# --- The list -----------------------------------------------------------------------------------


@pytest.fixture
def mixed(show: Show) -> Show:
    """One episode of each status, and a scheduled one whose time has come."""
    for status, hours in [("published", -2), ("scheduled", 2), ("unpublished", -3)]:
        EpisodeFactory(
            show=show, title=f"A {status} one", status=status, published_at=now() + hours * HOUR
        )
    EpisodeFactory(show=show, title="A drafted one", status="draft", published_at=None)
    EpisodeFactory(show=show, title="A due one", status="scheduled", published_at=now() - HOUR)
    EpisodeFactory(show=show, title="A deleted one", deleted_at=now())
    EpisodeFactory(title="A foreign one")
    return show


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", {"published", "scheduled", "unpublished", "drafted", "due"}),
        ("?status=published", {"published", "due"}),
        ("?status=scheduled", {"scheduled"}),
        ("?status=unpublished", {"unpublished"}),
        ("?status=draft", {"drafted"}),
        ("?status=nonsense", {"published", "scheduled", "unpublished", "drafted", "due"}),
        ("?q=SCHED", {"scheduled"}),
        ("?q=one&status=draft", {"drafted"}),
        ("?q=%25", set()),
    ],
)
def test_the_list_is_filtered_by_status_and_words(
    query: str, titles: set[str], client: Client, mixed: Show
) -> None:
    page = text(client.get(f"/studio/shows/{mixed.pk}/episodes/{query}"))
    every = {"published", "scheduled", "unpublished", "drafted", "due", "deleted", "foreign"}
    assert {word for word in every if f">A {word} one</a>" in page} == titles


def test_htmx_gets_the_rows_and_a_plain_request_the_page(client: Client, mixed: Show) -> None:
    path = f"/studio/shows/{mixed.pk}/episodes/"
    part = client.get(path, headers={"HX-Request": "true"})
    page = client.get(path)
    assert "<html" not in text(part)
    assert "A published one" in text(part)
    assert "<html" in text(page)
    assert "HX-Request" in part.headers["Vary"]
    assert "HX-Request" in page.headers["Vary"]


def test_the_list_is_cut_into_pages(client: Client, show: Show) -> None:
    EpisodeFactory.create_batch(26, show=show, audio=AssetFactory())
    path = f"/studio/shows/{show.pk}/episodes/"
    rows = [text(client.get(f"{path}?page={page}")).count("table__title") for page in (1, 2, 99)]
    assert rows == [25, 1, 1]


def test_the_list_reads_as_much_for_twenty_episodes_as_for_one(client: Client, show: Show) -> None:
    counts = []
    for more in (1, 19):
        EpisodeFactory.create_batch(more, show=show)
        with CaptureQueriesContext(connection) as queries:
            page = text(client.get(f"/studio/shows/{show.pk}/episodes/"))
        counts.append(len(queries))
    assert page.count("table__title") == 20
    assert counts[0] == counts[1]


def test_an_empty_list_says_what_to_do_next(people: People, client: Client, show: Show) -> None:
    path = f"/studio/shows/{show.pk}/episodes/"
    assert "Begin with a title" in text(client.get(path))
    assert "No episode fits" in text(client.get(f"{path}?q=nothing"))
    assert "An editor of this organisation can add one" in text(people.client("analyst").get(path))


# --- Making and editing -------------------------------------------------------------------------


def test_a_title_begins_an_episode(people: People, client: Client, show: Show) -> None:
    response = client.post(
        f"/studio/shows/{show.pk}/episodes/new/", {"title": "First light", "type": "full"}
    )
    episode = Episode.objects.get()
    assert response.headers["Location"] == f"/studio/episodes/{episode.pk}/"
    assert (episode.slug, episode.status) == ("first-light", "draft")
    assert episode.created_by == people.editor


def test_a_show_that_counts_proposes_the_next_number(client: Client, show: Show) -> None:
    EpisodeFactory(show=show, season_number=2, episode_number=7)
    page = text(client.get(f"/studio/shows/{show.pk}/episodes/new/"))
    assert 'name="episode_number" value="8"' in page
    assert 'name="season_number" value="2"' in page


def test_the_editor_saves_and_says_so(client: Client, draft: Episode) -> None:
    path = f"/studio/episodes/{draft.pk}/"
    sent = form(draft, title="New", notes="*hi*", episode_number="4", is_explicit="on")
    assert "Saved." in text(client.post(path, sent, follow=True))
    draft.refresh_from_db()
    assert (draft.title, draft.notes_html, draft.episode_number, draft.is_explicit) == (
        "New",
        "<p><em>hi</em></p>",
        4,
        True,
    )


def test_a_refused_edit_keeps_what_was_typed(client: Client, draft: Episode) -> None:
    response = client.post(
        f"/studio/episodes/{draft.pk}/", form(draft, title="", notes="long work")
    )
    assert response.status_code == 422
    assert "long work" in text(response)
    draft.refresh_from_db()
    assert draft.title == "Draft"


def test_an_analyst_sees_the_editor_locked(people: People, draft: Episode) -> None:
    page = text(people.client("analyst").get(f"/studio/episodes/{draft.pk}/"))
    assert "Draft" in page
    assert "Save" not in page
    assert f"/studio/episodes/{draft.pk}/publish/" not in page
    assert 'name="title"' in page
    assert page.count("disabled") >= 5


def test_notes_are_previewed_clean_and_not_stored(client: Client, draft: Episode) -> None:
    page = text(client.post("/studio/notes-preview/", {"notes": "**a** <script>b</script>"}))
    assert "<strong>a</strong> &lt;script&gt;b&lt;/script&gt;" in page
    assert "Nothing written yet" in text(client.post("/studio/notes-preview/", {"notes": " "}))


# --- Publishing ---------------------------------------------------------------------------------


def test_publishing_saves_what_was_typed_first(client: Client, draft: Episode) -> None:
    page = text(
        client.post(
            f"/studio/episodes/{draft.pk}/publish/", form(draft, title="At last"), follow=True
        )
    )
    draft.refresh_from_db()
    assert (draft.title, draft.status) == ("At last", "published")
    assert "The episode is public." in page
    assert "/shows/ours/draft/" in page


def test_a_refused_form_publishes_nothing(client: Client, draft: Episode) -> None:
    response = client.post(f"/studio/episodes/{draft.pk}/publish/", form(draft, title=""))
    assert response.status_code == 422
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_without_audio_the_page_says_what_is_missing(client: Client, draft: Episode) -> None:
    Episode.objects.update(audio=None)
    path = f"/studio/episodes/{draft.pk}/publish/"
    in_editor = client.post(path, form(draft))
    assert in_editor.status_code == 422
    assert "The episode has no audio yet." in text(in_editor)
    assert "The episode has no audio yet." in text(client.post(path, follow=True))  # from a menu


def test_a_missing_number_is_named_at_its_field(client: Client, draft: Episode) -> None:
    Show.objects.update(type="serial")
    page = text(client.post(f"/studio/episodes/{draft.pk}/publish/", form(draft)))
    assert 'id="id_episode_number_error"' in page


def test_publish_can_be_pressed_while_the_audio_is_processed(
    client: Client, draft: Episode
) -> None:
    asset = AssetFactory(
        organization=draft.organization, status=AssetStatus.PROCESSING, rendition=None
    )
    Episode.objects.update(audio=None, incoming_audio=asset)
    page = text(client.post(f"/studio/episodes/{draft.pk}/publish/", form(draft), follow=True))
    assert "as soon as its audio is ready" in page
    assert "Publishing when ready" in page
    client.post(f"/studio/episodes/{draft.pk}/unschedule/", form(draft))
    draft.refresh_from_db()
    assert not draft.is_published_when_ready


@pytest.mark.parametrize(
    ("timezone", "at"),
    [
        ("America/New_York", datetime(2099, 7, 1, 22, 0, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2099, 7, 1, 16, 0, tzinfo=UTC)),
        ("", datetime(2099, 7, 1, 18, 0, tzinfo=UTC)),  # without a script: UTC, as the page says
    ],
)
def test_a_date_is_taken_in_the_zone_it_was_typed_in(
    timezone: str, at: datetime, client: Client, draft: Episode
) -> None:
    page = text(
        client.post(
            f"/studio/episodes/{draft.pk}/schedule/",
            form(draft, publish_at="2099-07-01T18:00", timezone=timezone),
            follow=True,
        )
    )
    draft.refresh_from_db()
    assert (draft.status, draft.published_at) == ("scheduled", at)
    assert f'data-utc="{at.isoformat()}"' in page


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Choose a date and time."),
        ({"publish_at": "soon"}, "This is not a date and time."),
        (
            {"publish_at": "9999-12-31T23:00", "timezone": "America/New_York"},
            "This is not a date and time.",
        ),
        ({"publish_at": "2020-01-01T10:00"}, "This moment has passed."),
        ({"publish_at": "2099-01-01T10:00", "timezone": "../etc"}, "The time zone"),
        ({"publish_at": "2099-01-01T10:00", "timezone": "Mars/Base"}, "The time zone"),
    ],
)
def test_a_date_that_can_not_be_used_is_refused(
    sent: dict[str, str], sentence: str, client: Client, draft: Episode
) -> None:
    response = client.post(f"/studio/episodes/{draft.pk}/schedule/", form(draft, **sent))
    assert response.status_code == 422
    assert text(response).count(sentence) == 1
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_the_date_of_a_public_episode_can_be_moved_into_the_past(
    client: Client, show: Show
) -> None:
    episode = EpisodeFactory(show=show)
    path = f"/studio/episodes/{episode.pk}/schedule/"
    client.post(path, form(episode, publish_at="2020-01-01T10:00"))
    episode.refresh_from_db()
    assert episode.status == "published"
    assert episode.published_at == datetime(2020, 1, 1, 10, tzinfo=UTC)


def test_a_schedule_can_be_cancelled_and_a_public_episode_withdrawn(
    client: Client, show: Show
) -> None:
    planned = EpisodeFactory(show=show, status="scheduled", published_at=now() + HOUR)
    public = EpisodeFactory(show=show)
    client.post(f"/studio/episodes/{planned.pk}/unschedule/", form(planned))
    client.post(f"/studio/episodes/{public.pk}/unpublish/")
    planned.refresh_from_db()
    public.refresh_from_db()
    assert (planned.status, public.status) == ("draft", "unpublished")


def test_the_publish_box_is_fetched_alone_when_the_audio_is_ready(
    client: Client, draft: Episode
) -> None:
    part = text(client.get(f"/studio/episodes/{draft.pk}/", headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "Publish now" in part
    assert 'hx-swap-oob="true"' in part


# --- Deleting -----------------------------------------------------------------------------------


def test_deleting_offers_an_undo(client: Client, show: Show, draft: Episode) -> None:
    for _ in range(2):  # a second click is no error
        page = text(client.post(f"/studio/episodes/{draft.pk}/delete/", follow=True))
        assert f'action="/studio/episodes/{draft.pk}/restore/"' in page
    assert not Episode.objects.alive().exists()
    for _ in range(2):
        page = text(client.post(f"/studio/episodes/{draft.pk}/restore/", follow=True))
        assert "Draft is back." in page
    assert Episode.objects.alive().get() == draft


@pytest.mark.parametrize(
    ("action", "page"),
    [
        ("publish", "/studio/episodes/{}/"),
        ("schedule", "/studio/episodes/{}/"),
        ("unschedule", "/studio/episodes/{}/"),
        ("unpublish", "/studio/episodes/{}/"),
        ("delete", "/studio/episodes/{}/"),
        ("restore", "/studio/trash/"),
    ],
)
def test_going_to_a_buttons_address_changes_nothing_and_leads_to_the_button(
    action: str, page: str, client: Client, draft: Episode
) -> None:
    before = Episode.objects.filter(pk=draft.pk).values().get()
    response = client.get(f"/studio/episodes/{draft.pk}/{action}/")
    assert (response.status_code, response.headers["Location"]) == (302, page.format(draft.pk))
    assert client.put(f"/studio/episodes/{draft.pk}/{action}/").status_code == 405
    assert Episode.objects.filter(pk=draft.pk).values().get() == before
