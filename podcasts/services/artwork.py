"""Which picture a show or an episode has."""

from django.core.exceptions import ValidationError

from apps.accounts.models import Organization
from apps.media.image_store import store_image
from apps.media.models import Image
from podcasts.covers import draw_cover


def store_artwork(*, organization: Organization, content: bytes) -> Image:
    """The picture made from an uploaded file; ValidationError on the field ``artwork``."""
    try:
        return store_image(organization=organization, content=content)
    except ValidationError as error:
        raise ValidationError({"artwork": error}) from error


def generate_cover(*, organization: Organization, title: str) -> Image:
    """A cover drawn from the title."""
    return store_image(organization=organization, content=draw_cover(title))
