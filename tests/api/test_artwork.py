"""An episode's picture over HTTP: as a form's file, as the body itself, refused, removed."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image as Picture

from apps.media import images
from apps.media.images import LARGEST_FILE
from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import EpisodeFactory, ImageFactory


@pytest.fixture
def episode(people: People) -> Episode:
    """One without a picture of its own."""
    return EpisodeFactory(show__organization=people.organization)


def picture(side: int = 1400, kind: str = "PNG", height: int | None = None) -> bytes:
    """A grey picture."""
    buffer = BytesIO()
    Picture.new("RGB", (side, height or side), "grey").save(buffer, kind)
    return buffer.getvalue()


def put(
    people: People, episode: Episode, body: bytes, content_type: str, name: str = "editor", **h: Any
) -> Any:
    """What is answered."""
    return people.client(name).put(
        f"/api/v1/episodes/{episode.pk}/artwork/", body, content_type=content_type, headers=h
    )


def form(content: bytes, field: str = "artwork") -> bytes:
    """A form with the file."""
    file = SimpleUploadedFile("cover.png", content, content_type="image/png")
    return encode_multipart(BOUNDARY, {field: file})


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_may_be_the_body_itself(kind: str, people: People, episode: Episode) -> None:
    response = put(people, episode, picture(kind=kind), f"image/{kind.lower()}")
    assert response.status_code == 200
    assert response.json()["artwork_url"].endswith("/feed.jpg")
    episode.refresh_from_db()
    assert episode.artwork is not None
    assert episode.artwork.organization == people.organization


def test_a_picture_may_come_in_a_form(people: People, episode: Episode) -> None:
    response = put(people, episode, form(picture(1600)), MULTIPART_CONTENT)
    assert response.status_code == 200
    episode.refresh_from_db()
    assert episode.artwork is not None
    assert episode.artwork.width == 1600


def test_without_its_own_picture_it_has_the_shows_again(people: People, episode: Episode) -> None:
    Episode.objects.filter(pk=episode.pk).update(artwork=ImageFactory())
    address = f"/api/v1/episodes/{episode.pk}/artwork/"
    for _ in range(2):
        response = people.client("editor").delete(address)
        assert (response.status_code, response.json()["artwork_url"]) == (200, None)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (picture(1399), "image/png", 400, "too-small"),
        (picture(1400, height=3000), "image/png", 400, "not-square"),
        (b"GIF89a" + bytes(100), "image/gif", 400, "not-a-picture"),
        (picture()[:500], "image/png", 400, "damaged"),
        (b"", "image/png", 400, "required"),
        (form(b""), MULTIPART_CONTENT, 400, "empty"),
        (form(picture(), field="picture"), MULTIPART_CONTENT, 400, "required"),
        (form(bytes(LARGEST_FILE + 1)), MULTIPART_CONTENT, 413, "too_large"),
        (bytes(LARGEST_FILE + 1), "image/png", 413, "too_large"),
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (b"no form at all", MULTIPART_CONTENT, 400, "required"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_be_no_cover_is_refused(
    body: bytes, content_type: str, status: int, code: str, people: People, episode: Episode
) -> None:
    response = put(people, episode, body, content_type)
    assert response.status_code == status, response.content
    problem = response.json()
    found = problem["errors"][0] if problem["code"] == "invalid" else problem
    assert found["code"] == code
    assert problem["code"] != "invalid" or found["pointer"] == "#/artwork"
    episode.refresh_from_db()
    assert episode.artwork is None


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every place in which a picture is prepared is taken."""
    monkeypatch.setattr(images, "_PATIENCE_SECONDS", 0.01)
    taken = [images._SLOTS.acquire(timeout=1) for _ in range(2)]
    yield
    for _ in taken:
        images._SLOTS.release()


@pytest.mark.usefixtures("busy")
def test_a_busy_machine_says_so(people: People, episode: Episode) -> None:
    response = put(people, episode, picture(), "image/png")
    assert (response.status_code, response.json()["code"]) == (503, "busy")


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("way", ["made", "renamed", "removed"])
def test_a_busy_machine_says_so_of_covers_that_it_draws(
    way: str, people: People, episode: Episode
) -> None:
    admin, show = people.client("admin"), episode.show
    Show.objects.filter(pk=show.pk).update(is_artwork_generated=True)
    if way == "made":
        address = f"/api/v1/organizations/{people.organization.pk}/shows/"
        fields = {"title": "Never drawn", "category": "Technology", "description": "One."}
        response = admin.post(address, fields, content_type="application/json")
    elif way == "renamed":
        response = admin.patch(
            f"/api/v1/shows/{show.pk}/", {"title": "New"}, content_type="application/json"
        )
    else:
        response = admin.delete(f"/api/v1/shows/{show.pk}/artwork/")
    assert (response.status_code, response.json()["code"]) == (503, "busy"), response.content
    assert not Show.objects.filter(title__in=["Never drawn", "New"]).exists()


def test_nobody_overwrites_a_picture_that_they_have_not_seen(
    people: People, episode: Episode
) -> None:
    editor = people.client("editor")
    tag = editor.get(f"/api/v1/episodes/{episode.pk}/")["ETag"]
    headers = {"If-Match": tag}
    assert put(people, episode, picture(), "image/png", **headers).status_code == 200
    assert put(people, episode, picture(1500), "image/png", **headers).status_code == 412
    address = f"/api/v1/episodes/{episode.pk}/artwork/"
    assert editor.delete(address, headers=headers).status_code == 412


def test_only_editors_change_the_picture(people: People, episode: Episode) -> None:
    expected = {"stranger": 404, "staff": 404, "analyst": 403}
    for name, status in expected.items():
        assert put(people, episode, b"", "image/png", name).status_code == status, name
        removed = people.client(name).delete(f"/api/v1/episodes/{episode.pk}/artwork/")
        assert removed.status_code == status, name
