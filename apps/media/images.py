"""What becomes of a cover: checked by its content, made square and sRGB, in the sizes in use."""

from __future__ import annotations

import base64
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.media import sandbox
from apps.media.refusals import FileRefusedError, PreparationError
from apps.media.sandbox import MIB, Limits

LARGEST_FILE = 20 * MIB
SMALLEST_SIDE = 1400  # Apple: artwork of a show is 1400 to 3000 pixels square
LARGEST_SIDE = 3000
# Where the page or the feed shows it: a list row, a card, a page, and the smallest Apple takes.
PAGE_SIDES = (96, 192, 480, 1400)
_JOB = "apps.media.child.pictures:prepare"
# A 50-megapixel picture in four channels, decoded, turned and scaled, with Pillow itself.
_LIMITS = Limits(wall_seconds=90, cpu_seconds=45, memory_bytes=1536 * MIB, written_bytes=32 * MIB)

_SLOTS = threading.BoundedSemaphore(2)
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Variant:
    """One size of a picture, as a JPEG without metadata."""

    data: bytes
    side: int
    content_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """All sizes of one square picture.

    `variants` has the key "feed" for the largest (at most 3000 pixels, for `itunes:image`) and a
    key for each of `PAGE_SIDES` that is not larger than the picture. `width` is the side after
    cropping, before scaling. `notices` are sentences for the person who sent it.
    """

    width: int
    variants: Mapping[str, Variant]
    notices: tuple[str, ...]


def prepare_image(data: bytes, *, smallest_side: int = SMALLEST_SIDE) -> PreparedImage:
    """Check a picture and make its sizes in a confined child.

    Takes JPEG, PNG and WebP. Raises `FileRefusedError` for anything else, for what is too small,
    too large or far from square, and `PreparationError` when the work had to be stopped.
    """
    if not data:
        raise FileRefusedError("empty", "This file is empty. Choose the picture again.")
    if len(data) > LARGEST_FILE:
        raise FileRefusedError(
            "too-large",
            "This picture is larger than 20 MB. Save it as a JPEG of 3000 by 3000 pixels.",
        )
    with tempfile.TemporaryDirectory(prefix="longwave-image-") as folder:
        source = Path(folder, "source")
        source.write_bytes(data)
        arguments = {
            "source": str(source),
            "smallest_side": smallest_side,
            "largest_side": LARGEST_SIDE,
            "page_sides": PAGE_SIDES,
        }
        with _slot():
            return _prepared(sandbox.run(_JOB, arguments, limits=_LIMITS))


@contextmanager
def _slot() -> Iterator[None]:
    """One of a few places, so that many pictures at once can't take all memory."""
    if not _SLOTS.acquire(timeout=_PATIENCE_SECONDS):
        raise PreparationError(
            "busy", "Too many pictures are being prepared at the moment. Try again in a minute."
        )
    try:
        yield
    finally:
        _SLOTS.release()


def _prepared(result: dict[str, Any]) -> PreparedImage:
    variants = {
        name: Variant(base64.b64decode(encoded), side)
        for name, (side, encoded) in result["variants"].items()
    }
    return PreparedImage(result["width"], variants, tuple(result["notices"]))
