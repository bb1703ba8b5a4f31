"""Which picture a show or an episode has, and what becomes of pictures nobody shows."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef

from apps.accounts.models import Organization
from apps.media.image_store import delete_images, store_image
from apps.media.models import Asset, Image
from podcasts.covers import draw_cover
from podcasts.models import Episode, Show


def store_artwork(*, organization: Organization, content: bytes) -> Image:
    """The picture made from an uploaded file; ValidationError on the field ``artwork``."""
    try:
        return store_image(organization=organization, content=content)
    except ValidationError as error:
        raise ValidationError({"artwork": error}) from error


def generate_cover(*, organization: Organization, title: str) -> Image:
    """A cover drawn from the title."""
    return store_image(organization=organization, content=draw_cover(title))


def delete_unused_images(image_ids: Iterable[UUID | None]) -> None:
    """Delete those of these pictures that no show, episode or original refers to."""
    users = (Show, Episode, Asset)
    unused = Image.objects.filter(pk__in=[pk for pk in image_ids if pk])
    for model in users:
        unused = unused.exclude(Exists(model._base_manager.filter(artwork=OuterRef("pk"))))
    delete_images(list(unused))
