"""The decoding and scaling of pictures themselves."""

from __future__ import annotations

import base64
import io
import struct
import warnings
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from apps.media.child.main import Report
from apps.media.refusals import FileRefusedError

_FORMATS = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS = 50_000_000
# Cropped in silence up to here, with a notice up to the next, refused beyond: what a crop cuts
# from a nearly square cover is its margin, from a banner it is the words.
_NEARLY_SQUARE = 1.01
_CROPPABLE = 1.35
_FEED_BYTES = 512_000  # Apple's advice for artwork
_QUALITIES = (90, 85, 80, 75, 68, 60)
_PAGE_QUALITY = 82
_SRGB = ImageCms.createProfile("sRGB")
_RGB_LIKE = {"1", "L", "P", "RGB", "RGBA", "LA", "PA", "RGBX"}


def prepare(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """The job behind `images.prepare_image`."""
    picture = _opened(Path(arguments["source"]))
    _check_size(picture, arguments["smallest_side"])
    notices = _crop_notices(picture)
    square = _crop(_upright_rgb(picture))
    largest = _scaled(square, min(square.width, arguments["largest_side"]))
    variants = {"feed": (largest.width, _encoded(_under(largest, _FEED_BYTES)))}
    for side in arguments["page_sides"]:
        if side <= square.width:
            small = _jpeg(_scaled(square, side), _PAGE_QUALITY)
            variants[str(side)] = (side, _encoded(small))
    return {"width": square.width, "variants": variants, "notices": notices}


def _opened(path: Path) -> Image.Image:
    """The picture with its pixels, after its declared size was found bearable."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    try:
        picture = Image.open(path, formats=_FORMATS)
        if picture.width * picture.height > _MOST_PIXELS:
            raise _too_many_pixels()
        picture.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise FileRefusedError(
            "not-a-picture", "This is not a JPEG, PNG or WebP picture. Save it as JPEG or PNG."
        ) from error
    except (OSError, SyntaxError, ValueError, struct.error, IndexError) as error:
        raise FileRefusedError(
            "damaged", "This picture is damaged or incomplete. Save it again as JPEG or PNG."
        ) from error
    return picture


def _too_many_pixels() -> FileRefusedError:
    return FileRefusedError(
        "too-many-pixels",
        "This picture has more than 50 million pixels. Scale it to 3000 by 3000 and save it again.",
    )


def _check_size(picture: Image.Image, smallest_side: int) -> None:
    short, long = sorted(picture.size)
    if long > short * _CROPPABLE:
        raise FileRefusedError(
            "not-square",
            f"A cover is square, and this picture is {picture.width} by {picture.height} pixels. "
            "Crop it to a square and upload it again.",
        )
    if short < smallest_side:
        raise FileRefusedError(
            "too-small",
            f"This picture is {picture.width} by {picture.height} pixels, and a cover needs at "
            f"least {smallest_side} by {smallest_side}. Export it larger; 3000 by 3000 is best.",
        )


def _crop_notices(picture: Image.Image) -> list[str]:
    short, long = sorted(picture.size)
    if long <= short * _NEARLY_SQUARE:
        return []
    size = f"{picture.width} by {picture.height} pixels"
    return [f"The picture was {size}; its middle was kept, so that it is square."]


def _upright_rgb(picture: Image.Image) -> Image.Image:
    """As a camera meant it (EXIF orientation), in sRGB, on white, with 8 bits a channel."""
    profile = picture.info.get("icc_profile")
    turned = ImageOps.exif_transpose(picture)
    if turned.mode.startswith(("I", "F")):
        turned = _from_deep_grey(turned)
    if turned.mode in _RGB_LIKE:
        turned = _on_white(turned)
    managed = _to_srgb(turned, profile)
    return managed if managed.mode == "RGB" else managed.convert("RGB")


def _from_deep_grey(picture: Image.Image) -> Image.Image:
    """16-bit grey to 8 bits: Pillow's own conversion would clip instead of scale."""
    return picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture if picture.mode == "L" else picture.convert("RGB")
    above = picture.convert("RGBA")
    below = Image.new("RGB", above.size, "white")
    below.paste(above, mask=above.getchannel("A"))
    return below


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Without this, a cover made for print or for a wide screen looks washed out in apps."""
    if not profile or picture.mode not in {"RGB", "CMYK", "L", "LAB"}:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        managed = ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        # The profile is broken or of another colour space; the pixels are still good.
        return picture
    return picture if managed is None else managed


def _crop(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _scaled(picture: Image.Image, side: int) -> Image.Image:
    if picture.width == side:
        return picture
    return picture.resize((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _under(picture: Image.Image, size_bytes: int) -> bytes:
    """The best quality that fits; the last one is kept even when it doesn't."""
    data = b""
    for quality in _QUALITIES:
        data = _jpeg(picture, quality)
        if len(data) <= size_bytes:
            break
    return data


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    """A new picture has no EXIF: a cover does not tell where its photograph was taken."""
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    target = io.BytesIO()
    bare.save(target, format="JPEG", quality=quality, optimize=True, progressive=True)
    return target.getvalue()


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
