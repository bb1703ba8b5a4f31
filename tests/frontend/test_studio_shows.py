"""The studio's pages of shows: made, changed, deleted and restored through HTTP."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image as Pictures
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.core.clock import now
from podcasts.models import Show
from tests.conftest import People
from tests.factories import EpisodeFactory, ImageFactory, ShowFactory, UserFactory

pytestmark = pytest.mark.usefixtures("clean_valkey")

FORM = {
    "title": "Night Signals",
    "handle": "",
    "description": "Stories from the night shift.",
    "language": "en-gb",
    "category": "Society & Culture/Documentary",
    "author": "Night Radio",
    "owner_name": "",
    "owner_email": "",
    "time_zone": "Europe/Berlin",
}


def cover(side: int) -> SimpleUploadedFile:
    buffer = BytesIO()
    Pictures.new("RGB", (side, side), "tomato").save(buffer, "PNG")
    return SimpleUploadedFile("cover.png", buffer.getvalue(), "image/png")


@pytest.fixture
def show(people: People) -> Show:
    return ShowFactory(organization=people.organization, handle="ours", title="Ours")


def settings_form(show: Show, **changes: Any) -> dict[str, Any]:
    return FORM | {"title": show.title, "handle": show.handle, "type": show.type} | changes


def test_a_show_is_made_with_a_handle_from_its_title(people: People) -> None:
    response = people.client("admin").post("/studio/shows/new/", FORM)
    show = Show.objects.get()
    assert response.headers["Location"] == f"/studio/shows/{show.pk}/"
    assert (show.organization, show.handle) == (people.organization, "night-signals")
    assert (show.category, show.language) == ("Society & Culture/Documentary", "en-gb")


def test_a_refused_show_is_shown_again_with_what_was_typed(people: People) -> None:
    ShowFactory(handle="taken")
    response = people.client("admin").post(
        "/studio/shows/new/", FORM | {"handle": "taken", "artwork": cover(500)}
    )
    page = response.content.decode()
    assert response.status_code == 422
    assert "Another show has or had this handle" in page
    assert "Stories from the night shift." in page
    assert Show.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"artwork": cover(500)}, "at least 1400 by 1400"),
        ({"title": "深夜电台"}, "Type a handle"),
        ({"category": "Podcasting"}, "Select a valid choice"),
        ({"description": "x" * 4001}, "at most 4000 characters"),
        ({"title": ""}, "This field is required"),
        ({"time_zone": "Mars/Olympus_Mons"}, "Choose a time zone from the list"),
        ({"time_zone": ""}, "This field is required"),
    ],
)
def test_a_wrong_field_says_what_to_do(
    changes: dict[str, Any], sentence: str, people: People
) -> None:
    response = people.client("admin").post("/studio/shows/new/", FORM | changes)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Show.objects.exists()


def test_settings_change_the_show_and_say_so(people: People, show: Show) -> None:
    path = f"/studio/shows/{show.pk}/settings/"
    response = people.client("admin").post(
        path,
        settings_form(show, title="Ours, renamed", handle="renamed", artwork=cover(1400)),
        follow=True,
    )
    page = response.content.decode()
    assert "The settings are saved." in page
    assert "<code>ours</code>" in page  # the former handle
    show.refresh_from_db()
    assert (show.title, show.handle, show.is_artwork_generated) == (
        "Ours, renamed",
        "renamed",
        False,
    )


def test_a_shows_time_zone_is_chosen_by_name(people: People, show: Show) -> None:
    client, path = people.client("admin"), f"/studio/shows/{show.pk}/settings/"
    page = client.get(path).content.decode()
    assert 'value="UTC"' in page
    assert '<option value="Europe/Vienna"></option>' in page
    assert "data-propose-zone" not in page  # a stored zone is nobody's browser's to change
    client.post(path, settings_form(show, time_zone="Europe/Vienna"))
    show.refresh_from_db()
    assert show.time_zone == "Europe/Vienna"


def test_a_new_show_proposes_a_time_zone(people: People) -> None:
    assert "data-propose-zone" in people.client("admin").get("/studio/shows/new/").content.decode()


def test_a_drawn_cover_invites_to_be_replaced(people: People, show: Show) -> None:
    path, client = f"/studio/shows/{show.pk}/settings/", people.client("admin")
    invitation = "This cover was drawn from the title."
    assert invitation not in client.get(path).content.decode()
    Show.objects.update(is_artwork_generated=True)
    assert invitation in client.get(path).content.decode()


def test_the_settings_hold_the_feed_address_to_copy(people: People, show: Show) -> None:
    page = people.client("admin").get(f"/studio/shows/{show.pk}/settings/").content.decode()
    assert 'value="http://localhost:8000/feeds/ours.xml"' in page


def test_a_show_with_episodes_is_deleted_only_when_its_handle_is_typed(
    people: People, show: Show
) -> None:
    EpisodeFactory(show=show)
    client, path = people.client("admin"), f"/studio/shows/{show.pk}/delete/"
    refused = client.post(path, {"confirm": "other"})
    assert refused.status_code == 422
    assert "Type ours." in refused.content.decode()
    assert Show.objects.alive().exists()
    client.post(path, {"confirm": "ours"})
    assert not Show.objects.alive().exists()


def test_deleting_offers_an_undo_that_brings_everything_back(people: People, show: Show) -> None:
    client = people.client("admin")
    page = client.post(f"/studio/shows/{show.pk}/delete/", follow=True).content.decode()
    undo = f"/studio/shows/{show.pk}/restore/"
    assert f'action="{undo}"' in page
    for _ in range(2):  # a second click is no error
        response = client.post(undo, follow=True)
        assert "Ours is back" in response.content.decode()
    assert Show.objects.alive().get() == show


@pytest.mark.parametrize(
    ("name", "may_make", "may_set", "may_add"),
    [
        ("analyst", False, False, False),
        ("editor", False, False, True),
        ("admin", True, True, True),
    ],
)
def test_buttons_that_a_role_can_not_use_are_not_shown(
    name: str, may_make: bool, may_set: bool, may_add: bool, people: People, show: Show
) -> None:
    client = people.client(name)
    home = client.get("/studio/").content.decode()
    episodes = client.get(f"/studio/shows/{show.pk}/episodes/").content.decode()
    assert ("/studio/shows/new/" in home) is may_make
    assert (f"/studio/shows/{show.pk}/settings/" in episodes) is may_set
    assert (f"/studio/shows/{show.pk}/episodes/new/" in episodes) is may_add


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("admin", "Your first show"), ("editor", "An admin of this organisation can create one")],
)
def test_an_empty_studio_says_what_to_do_next(name: str, sentence: str, people: People) -> None:
    assert sentence in people.client(name).get("/studio/").content.decode()


def test_the_home_counts_living_and_public_episodes(people: People, show: Show) -> None:
    EpisodeFactory(show=show)
    EpisodeFactory(show=show, status="draft")
    EpisodeFactory(show=show, deleted_at=now())
    ShowFactory(title="Theirs")
    page = people.client("analyst").get("/studio/").content.decode()
    assert "<span>2 episodes</span><span>1 public</span>" in page
    assert "Theirs" not in page


def test_somebody_in_no_organisation_can_found_one(people: People) -> None:
    people.client("analyst")
    lonely = UserFactory()
    client = people.client("anonymous")
    client.force_login(lonely)
    assert 'action="/studio/organization/new/"' in client.get("/studio/").content.decode()
    assert (
        client.post("/studio/organization/new/", {"name": "Mine"}, follow=True).status_code == 200
    )
    assert "Your first show" in client.get("/studio/").content.decode()


@pytest.mark.django_db
def test_the_home_reads_as_much_for_twenty_shows_as_for_one(
    people: People, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    artwork = ImageFactory(organization=people.organization)
    client, counts = people.client("owner"), []
    for more in (1, 19):
        ShowFactory.create_batch(more, organization=people.organization, artwork=artwork)
        client.get("/studio/")  # the shows' time zones are known for a minute
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/studio/").content.decode()
        counts.append(len(queries))
    assert page.count("show-card__title") == 20
    assert counts[0] == counts[1]
