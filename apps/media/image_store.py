"""Pictures as rows and stored files: every size once, under the hash of its content."""

import tempfile
from pathlib import Path
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.core.hashing import sha256_of_bytes
from apps.media.images import PreparedImage, Variant, prepare_image
from apps.media.models import Image
from apps.media.refusals import MediaError
from apps.media.retention import hold_object
from apps.media.storage import storage


def store_image(*, organization_id: UUID, content: bytes) -> Image:
    """The stored picture made from an uploaded file; the same file again gives the same picture.

    Raises ValidationError with a code and a sentence that says what to do.
    """
    sha256 = sha256_of_bytes(content)
    known = _known_image(organization_id, sha256)
    if known is not None:
        return known
    try:
        prepared = prepare_image(content)
    except MediaError as error:
        raise ValidationError(error.message, code=error.code) from error
    return _create_image(organization_id, sha256, prepared)


def _known_image(organization_id: UUID, sha256: str) -> Image | None:
    """The same picture, kept from being collected until the caller's row refers to it."""
    image = Image.objects.filter(organization_id=organization_id, sha256=sha256).first()
    if image is None or not Image.objects.filter(pk=image.pk).update(unused_since=None):
        return None
    return image


@transaction.atomic
def _create_image(organization_id: UUID, sha256: str, prepared: PreparedImage) -> Image:
    objects = {_key(variant): variant for variant in prepared.variants.values()}
    # In one order, or two people with the same picture could wait for each other for ever.
    for key in sorted(objects):
        hold_object(key)
        _store(key, objects[key])
    return Image.objects.create(
        organization_id=organization_id,
        sha256=sha256,
        width=prepared.width,
        variants={name: _described(variant) for name, variant in prepared.variants.items()},
    )


def _key(variant: Variant) -> str:
    sha256 = sha256_of_bytes(variant.data)
    return f"images/{sha256[:2]}/{sha256}.jpg"


def _described(variant: Variant) -> dict[str, object]:
    return {
        "key": _key(variant),
        "sha256": sha256_of_bytes(variant.data),
        "size_bytes": len(variant.data),
        "content_type": variant.content_type,
        "width": variant.side,
    }


def _store(key: str, variant: Variant) -> None:
    with tempfile.TemporaryDirectory(prefix="longwave-image-") as folder:
        path = Path(folder, "variant.jpg")
        path.write_bytes(variant.data)
        storage().put(path, key, content_type=variant.content_type)
