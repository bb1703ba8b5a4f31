"""Which picture a show or an episode has.

Making one takes seconds: it is made and stored before rows are held. One that no row refers to in
the end is collected as garbage.
"""

from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError

from apps.media.image_store import store_image
from apps.media.models import Image
from podcasts.covers import draw_cover


@dataclass(frozen=True, slots=True)
class Cover:
    """A show's picture, made before its row is held."""

    image: Image
    title: str | None = None  # what it was drawn from; None: it was uploaded


def store_artwork(*, organization_id: UUID, content: bytes) -> Image:
    """The picture made from an uploaded file; ValidationError on the field ``artwork``."""
    try:
        return store_image(organization_id=organization_id, content=content)
    except ValidationError as error:
        raise ValidationError({"artwork": error}) from error


def generate_cover(*, organization_id: UUID, title: str) -> Image:
    """A cover drawn from the title."""
    return store_image(organization_id=organization_id, content=draw_cover(title))
