"""Pictures: checked, cut to the sizes that are served, and stored once each."""

import tempfile
import warnings
from io import BytesIO
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from PIL import Image as Pictures
from PIL import ImageCms, ImageOps, UnidentifiedImageError

from apps.accounts.models import Organization
from apps.core.hashing import sha256_of_bytes
from apps.media.models import Image
from apps.media.storage import storage

# Apple's artwork rules: square, 1400 to 3000 pixels, JPEG or PNG, RGB.
SMALLEST_SIDE = 1400
LARGEST_SIDE = 3000
MAX_IMAGE_BYTES = 20 * 1024**2
# Well above what a camera makes; a small file that unfolds into more is an attack.
MAX_PIXELS = 100_000_000
# A cut of up to this share takes nothing away that anybody would miss.
CROP_TOLERANCE = 0.01
SIDES = {"1400": 1400, "480": 480, "192": 192}
FORMATS = ("JPEG", "PNG", "WEBP")
JPEG_QUALITY = 88


def store_image(*, organization: Organization, content: bytes) -> Image:
    """The stored picture made from an uploaded file; the same file again gives the same picture.

    Raises ValidationError with a code and a sentence that says what to do.
    """
    sha256 = sha256_of_bytes(content)
    known = Image.objects.filter(organization=organization, sha256=sha256).first()
    if known is not None:
        return known
    picture = _square(_opened(content))
    side = min(picture.width, LARGEST_SIDE)
    variants = {
        name: _stored_variant(picture, width) for name, width in {"feed": side, **SIDES}.items()
    }
    return Image.objects.create(
        organization=organization, sha256=sha256, width=side, variants=variants
    )


def _opened(content: bytes) -> Pictures.Image:
    if len(content) > MAX_IMAGE_BYTES:
        raise ValidationError(
            f"The picture is larger than {MAX_IMAGE_BYTES // 1024**2} MB. "
            "Save it as JPEG and try again.",
            code="image_too_large",
        )
    try:
        with warnings.catch_warnings():
            # Pillow only warns about sizes between its limit and twice that; ours is below.
            warnings.simplefilter("ignore", Pictures.DecompressionBombWarning)
            picture = Pictures.open(BytesIO(content), formats=FORMATS)
            _check_size(picture)
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ValidationError(
            "This file can't be read as a picture. Choose a JPEG or PNG file.",
            code="image_unreadable",
        ) from error
    return _in_rgb(ImageOps.exif_transpose(picture))


def _check_size(picture: Pictures.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise ValidationError(
            f"The picture is {picture.width} × {picture.height} pixels, more than can be read. "
            f"Make it {LARGEST_SIDE} × {LARGEST_SIDE}.",
            code="image_too_many_pixels",
        )
    if min(picture.size) < SMALLEST_SIDE:
        raise ValidationError(
            f"The picture is {picture.width} × {picture.height} pixels, and podcast apps ask for "
            f"at least {SMALLEST_SIDE} × {SMALLEST_SIDE}. Choose a larger one.",
            code="image_too_small",
        )


def _in_rgb(picture: Pictures.Image) -> Pictures.Image:
    """Opaque sRGB without metadata: what every app can show, in the colours that were meant."""
    profile = picture.info.get("icc_profile")
    if picture.mode in ("RGBA", "LA", "PA", "P"):
        picture = picture.convert("RGBA")
        ground = Pictures.new("RGBA", picture.size, "white")
        picture = Pictures.alpha_composite(ground, picture).convert("RGB")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        picture = _in_srgb(picture, profile)
    return picture.convert("RGB")


def _in_srgb(picture: Pictures.Image, profile: bytes) -> Pictures.Image:
    try:
        converted = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):  # a broken profile is no profile
        return picture
    return converted or picture


def _square(picture: Pictures.Image) -> Pictures.Image:
    shorter, longer = sorted(picture.size)
    if longer - shorter > longer * CROP_TOLERANCE:
        raise ValidationError(
            f"The picture is {picture.width} × {picture.height} pixels, and artwork must be "
            f"square. Crop it to {shorter} × {shorter} and try again.",
            code="image_not_square",
        )
    return ImageOps.fit(picture, (shorter, shorter)) if longer != shorter else picture


def _stored_variant(picture: Pictures.Image, side: int) -> dict[str, object]:
    resized = (
        picture
        if picture.width == side
        else picture.resize((side, side), Pictures.Resampling.LANCZOS, reducing_gap=3.0)
    )
    buffer = BytesIO()
    # Without chroma subsampling: artwork is lettering more often than photographs.
    resized.save(
        buffer, "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True, subsampling=0
    )
    content = buffer.getvalue()
    sha256 = sha256_of_bytes(content)
    key = f"images/{sha256[:2]}/{sha256}.jpg"
    with tempfile.TemporaryDirectory(prefix="longwave-image-") as folder:
        path = Path(folder) / "variant.jpg"
        path.write_bytes(content)
        storage().put(path, key, content_type="image/jpeg")
    return {
        "key": key,
        "sha256": sha256,
        "size_bytes": len(content),
        "content_type": "image/jpeg",
        "width": side,
    }


def delete_images(images: list[Image]) -> None:
    """Remove pictures that nothing shows any more; files that others share stay."""
    keys = {variant["key"] for image in images for variant in image.variants.values()}
    Image.objects.filter(pk__in=[image.pk for image in images]).delete()
    transaction.on_commit(lambda: _delete_files(keys))


def _delete_files(keys: set[str]) -> None:
    for key in sorted(keys):
        variant_keys = [f"variants__{name}__key" for name in ("feed", *SIDES)]
        shared = any(Image.objects.filter(**{path: key}).exists() for path in variant_keys)
        if not shared:
            storage().delete(key)
