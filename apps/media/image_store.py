"""Pictures as rows and stored files: every size once, under the hash of its content."""

import tempfile
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import Organization
from apps.core.hashing import sha256_of_bytes
from apps.media.images import PAGE_SIDES, Variant, prepare_image
from apps.media.models import Image
from apps.media.refusals import MediaError
from apps.media.storage import storage

VARIANT_NAMES = ("feed", *map(str, PAGE_SIDES))


def store_image(*, organization: Organization, content: bytes) -> Image:
    """The stored picture made from an uploaded file; the same file again gives the same picture.

    Raises ValidationError with a code and a sentence that says what to do.
    """
    sha256 = sha256_of_bytes(content)
    known = Image.objects.filter(organization=organization, sha256=sha256).first()
    if known is not None:
        return known
    try:
        prepared = prepare_image(content)
    except MediaError as error:
        raise ValidationError(error.message, code=error.code) from error
    return Image.objects.create(
        organization=organization,
        sha256=sha256,
        width=prepared.width,
        variants={name: _store(variant) for name, variant in prepared.variants.items()},
    )


def _store(variant: Variant) -> dict[str, object]:
    sha256 = sha256_of_bytes(variant.data)
    key = f"images/{sha256[:2]}/{sha256}.jpg"
    with tempfile.TemporaryDirectory(prefix="longwave-image-") as folder:
        path = Path(folder, "variant.jpg")
        path.write_bytes(variant.data)
        storage().put(path, key, content_type=variant.content_type)
    return {
        "key": key,
        "sha256": sha256,
        "size_bytes": len(variant.data),
        "content_type": variant.content_type,
        "width": variant.side,
    }


def delete_images(images: list[Image]) -> None:
    """Remove pictures that nothing shows any more; files that others share stay."""
    keys = {variant["key"] for image in images for variant in image.variants.values()}
    Image.objects.filter(pk__in=[image.pk for image in images]).delete()
    transaction.on_commit(lambda: _delete_unshared(keys))


def _delete_unshared(keys: set[str]) -> None:
    for key in sorted(keys):
        paths = [f"variants__{name}__key" for name in VARIANT_NAMES]
        if not any(Image.objects.filter(**{path: key}).exists() for path in paths):
            storage().delete(key)
