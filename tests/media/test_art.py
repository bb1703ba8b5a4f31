"""Pictures at their addresses, which may be kept for ever."""

import hashlib
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.media.models import Image
from apps.media.storage import storage
from hosting.data_plane import DataPlane
from tests.asgi import call
from tests.factories import ImageFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

PICTURE = bytes(range(250)) * 4


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """A picture whose file of 480 pixels is stored."""
    image = ImageFactory(sha256=hashlib.sha256(PICTURE).hexdigest())
    file = tmp_path / "picture"
    file.write_bytes(PICTURE)
    storage().put(file, image.variants["480"]["key"], content_type="image/jpeg")
    return image


def test_a_picture_is_immutable_and_asked_for_once(
    image: Image, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    target = f"/art/{image.id}/480.jpg"
    reply = call(DataPlane(), "GET", target)
    assert (reply.status, reply.body) == (200, PICTURE)
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["etag"] == f'"{hashlib.sha256(PICTURE).hexdigest()}"'
    with django_assert_num_queries(0):
        again = call(DataPlane(), "GET", target, {"If-None-Match": reply.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("name", ["481.jpg", "480.png", "480", "480.jpg.exe", ".jpg"])
def test_only_stored_sizes_in_their_own_format_are_there(image: Image, name: str) -> None:
    assert call(DataPlane(), "GET", f"/art/{image.id}/{name}").status == 404


def test_an_unknown_picture_is_not_there() -> None:
    assert call(DataPlane(), "GET", f"/art/{uuid4()}/480.jpg").status == 404
