"""Pictures as rows and files."""

from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from PIL import Image as Pictures

from apps.core.clock import now
from apps.media.image_store import store_image
from apps.media.models import Image
from apps.media.retention import delete_unused_objects
from apps.media.storage import storage
from tests.factories import OrganizationFactory

pytestmark = pytest.mark.django_db


def picture(side: int = 1400, colour: str = "tomato", kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Pictures.new("RGB", (side, side), colour).save(buffer, kind)
    return buffer.getvalue()


def keys(image: Image) -> set[str]:
    return {variant["key"] for variant in image.variants.values()}


def test_a_picture_is_stored_in_every_size_with_its_true_length() -> None:
    image = store_image(organization_id=OrganizationFactory().pk, content=picture(1500))
    assert image.width == 1500
    assert set(image.variants) == {"feed", "96", "192", "480", "1400"}
    for variant in image.variants.values():
        assert storage().size(variant["key"]) == variant["size_bytes"]
        with storage().materialise(variant["key"]) as path:
            assert Pictures.open(path).size == (variant["width"], variant["width"])


def test_the_same_file_is_one_picture_in_an_organisation_and_another_in_another() -> None:
    ours, theirs = OrganizationFactory(), OrganizationFactory()
    first = store_image(organization_id=ours.pk, content=picture())
    assert store_image(organization_id=ours.pk, content=picture()) == first
    assert store_image(organization_id=theirs.pk, content=picture()) != first


@pytest.mark.parametrize(
    ("content", "code"),
    [(picture(500), "too-small"), (b"not a picture", "not-a-picture"), (b"", "empty")],
)
def test_what_is_no_cover_is_refused_with_a_code_and_a_sentence(content: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        store_image(organization_id=OrganizationFactory().pk, content=content)
    assert caught.value.code == code
    assert caught.value.messages[0].endswith(".")
    assert not Image.objects.exists()


def test_deleting_a_picture_keeps_the_files_that_another_one_shows() -> None:
    ours = store_image(organization_id=OrganizationFactory().pk, content=picture())
    theirs = store_image(organization_id=OrganizationFactory().pk, content=picture())
    assert keys(ours) == keys(theirs)
    ours.delete()
    assert delete_unused_objects(keys(theirs)) == set()
    assert all(storage().exists(key) for key in keys(theirs))
    theirs.delete()
    assert delete_unused_objects(keys(theirs)) == keys(theirs)
    assert not any(storage().exists(key) for key in keys(theirs))


def test_a_picture_that_is_chosen_again_is_not_garbage_any_more() -> None:
    organization = OrganizationFactory()
    image = store_image(organization_id=organization.pk, content=picture())
    Image.objects.update(unused_since=now())
    store_image(organization_id=organization.pk, content=picture())
    image.refresh_from_db()
    assert image.unused_since is None


def test_a_row_knows_its_keys_without_their_sizes() -> None:
    image = store_image(organization_id=OrganizationFactory().pk, content=picture())
    image.refresh_from_db()
    assert set(image.variant_keys) == keys(image)
