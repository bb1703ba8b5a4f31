"""How pictures are answered: immutable, one address for each stored size."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from apps.core import valkey
from apps.core.read_through import Record, read_record
from apps.media.models import IMAGE_EXTENSIONS, Image
from apps.media.serving import Resource, serve
from apps.media.sources import Segment
from apps.media.storage import storage

# Another picture has another address, so this one may be kept for ever (RFC 8246).
_CACHE_CONTROL = "public, max-age=31536000, immutable"
_LIFETIME_SECONDS = 3600


async def artwork(request: HttpRequest, image_id: UUID, filename: str) -> HttpResponseBase:
    """``/art/<image id>/<size>.<jpg|png>``."""
    size, _, extension = filename.partition(".")
    picture = await read_record(
        valkey.key("art", image_id), partial(_load, image_id), lifetime_seconds=_LIFETIME_SECONDS
    )
    variant = picture["variants"].get(size) if picture else None
    if picture is None or variant is None or extension != IMAGE_EXTENSIONS[variant["content_type"]]:
        raise Http404
    key, size_bytes = variant["key"], variant["size_bytes"]
    resource = Resource(
        segments=(Segment(partial(storage().open_source, key, size_bytes), size_bytes),),
        content_type=variant["content_type"],
        etag=f'"{variant["sha256"]}"',
        last_modified=datetime.fromisoformat(picture["created_at"]),
        cache_control=_CACHE_CONTROL,
    )
    return await serve(request, resource)


def _load(image_id: UUID) -> Record | None:
    row = Image.objects.filter(id=image_id).values_list("variants", "created_at").first()
    return None if row is None else {"variants": row[0], "created_at": row[1].isoformat()}
