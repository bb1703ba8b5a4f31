"""How pictures are answered: immutable, one address for each stored size."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Self
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from apps.core.local_cache import Bounds
from apps.core.read_through import ReadThrough
from apps.media.models import IMAGE_EXTENSIONS, Image
from apps.media.serving import Resource, serve
from apps.media.sources import Segment
from apps.media.storage import storage

# Another picture has another address, so this one may be kept for ever (RFC 8246).
_CACHE_CONTROL = "public, max-age=31536000, immutable"
_LIFETIME_SECONDS = 3600
_KEPT_IN_PROCESS = 5_000


@dataclass(frozen=True, slots=True)
class _Picture:
    variants: dict[str, dict[str, Any]]  # by size, as `Image.variants` has them
    created_at: datetime

    def packed(self) -> bytes:
        record = {"variants": self.variants, "created_at": self.created_at.isoformat()}
        return json.dumps(record).encode()

    @classmethod
    def unpacked(cls, content: bytes) -> Self:
        record = json.loads(content)
        return cls(record["variants"], datetime.fromisoformat(record["created_at"]))


_kept = ReadThrough[UUID, _Picture](
    "art",
    parse_key=UUID,
    pack=_Picture.packed,
    unpack=_Picture.unpacked,
    lifetime_seconds=_LIFETIME_SECONDS,
    bounds=Bounds(entries=_KEPT_IN_PROCESS),
)


async def artwork(request: HttpRequest, image_id: UUID, filename: str) -> HttpResponseBase:
    """``/art/<image id>/<size>.<jpg|png>``."""
    size, _, extension = filename.partition(".")
    picture = await _kept.find(image_id, _load)
    variant = picture.variants.get(size) if picture else None
    if picture is None or variant is None or extension != IMAGE_EXTENSIONS[variant["content_type"]]:
        raise Http404
    key, size_bytes = variant["key"], variant["size_bytes"]
    resource = Resource(
        segments=(Segment(partial(storage().open_source, key, size_bytes), size_bytes),),
        content_type=variant["content_type"],
        etag=f'"{variant["sha256"]}"',
        last_modified=picture.created_at,
        cache_control=_CACHE_CONTROL,
    )
    return await serve(request, resource)


def _load(image_id: UUID) -> _Picture | None:
    row = Image.objects.filter(id=image_id).values_list("variants", "created_at").first()
    return None if row is None else _Picture(*row)
