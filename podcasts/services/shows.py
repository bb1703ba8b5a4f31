"""What changes in shows."""

import uuid
from collections.abc import Callable
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.db.models import Q

from apps.accounts.models import Organization
from apps.core.clock import now
from apps.media.delivery import DeliveryMode, possible_modes
from podcasts import urls
from podcasts.categories import validate_category
from podcasts.languages import validate_language
from podcasts.models import Episode, EpisodeStatus, EpisodeType, Show, ShowType
from podcasts.services.artwork import Cover, generate_cover, store_artwork
from podcasts.services.changes import announce, announce_audio, tell_lists_of_show
from podcasts.services.handles import check_handle, register_handle

# Podcasting 2.0, podcast:guid: the namespace that its UUIDv5 is made in.
PODCAST_NAMESPACE = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")

_validate_length = MaxLengthValidator(4000)


class ShowFields(TypedDict, total=False):
    """What a person can say about a show, artwork apart."""

    title: str
    handle: str
    description: str
    language: str
    category: str
    is_explicit: bool
    type: str
    author: str
    owner_name: str
    owner_email: str
    is_owner_email_public: bool
    website: str
    copyright: str
    is_locked: bool
    is_complete: bool
    is_blocked: bool
    delivery: str
    time_zone: str


@transaction.atomic
def create_show(
    *, organization: Organization, artwork: bytes | None = None, **fields: Unpack[ShowFields]
) -> Show:
    """A new show with its handle; without an uploaded picture it gets a drawn one.

    Raises ValidationError by field.
    """
    show = Show(organization=organization, **fields)
    show.guid = podcast_guid(show.handle)
    _check_fields(show)
    _check_delivery(show)
    if artwork:
        show.artwork = store_artwork(organization_id=organization.pk, content=artwork)
    else:
        show.artwork = generate_cover(organization_id=organization.pk, title=show.title)
        show.is_artwork_generated = True
    # First the handle: of two requests for the same one, the later waits here and is told so. The
    # database checks the reference to the show at the end of the transaction.
    register_handle(show.handle, show=show)
    show.save(force_insert=True)
    announce(show.pk)
    return show


def update_show(
    *,
    show: Show,
    artwork: bytes | None = None,
    is_artwork_removed: bool = False,
    **fields: Unpack[ShowFields],
) -> Show:
    """Change what is named and nothing else; returns the stored show.

    A picture that is removed leaves one that is drawn from the title. A handle that is replaced
    redirects for ever and stays the show's own. Raises ValidationError by field.
    """
    cover = None
    title = fields.get("title", show.title)
    if artwork:
        cover = Cover(store_artwork(organization_id=show.organization_id, content=artwork))
    elif is_artwork_removed or (show.is_artwork_generated and title != show.title):
        cover = _drawn(show, title)
    return _update(show, fields, cover, is_artwork_removed=is_artwork_removed)


def _drawn(show: Show, title: str) -> Cover:
    return Cover(generate_cover(organization_id=show.organization_id, title=title), title)


@transaction.atomic
def _update(
    show: Show, fields: ShowFields, cover: Cover | None, *, is_artwork_removed: bool
) -> Show:
    show = locked_show(show)
    before_title, before_handle, before_delivery = show.title, show.handle, show.delivery
    for name, value in fields.items():
        setattr(show, name, value)
    _check_fields(show)
    _check_type(show)
    if show.delivery != before_delivery:
        _check_delivery(show)
        # Before it is saved: who served the episodes until now is to forget them.
        announce_audio(Episode.objects.for_show(show).values_list("pk", flat=True))
    if cover is not None and cover.title is None:
        show.artwork = cover.image
        show.is_artwork_generated = False
    elif is_artwork_removed or (show.is_artwork_generated and show.title != before_title):
        if cover is None or cover.title != show.title:  # somebody changed it since it was read
            cover = _drawn(show, show.title)
        show.artwork = cover.image
        show.is_artwork_generated = True
    show.updated_at = now()
    if show.handle != before_handle:
        register_handle(show.handle, show=show)
    show.save(update_fields=[*fields, "artwork", "is_artwork_generated", "updated_at"])
    tell_lists_of_show(show)
    announce(show.pk)
    return show


def podcast_guid(handle: str) -> uuid.UUID:
    """The ``podcast:guid`` of a show made here, from the address that its feed has at first."""
    _, _, address = urls.feed_url(handle).partition("://")
    return uuid.uuid5(PODCAST_NAMESPACE, address.rstrip("/"))


def locked_show(show: Show) -> Show:
    """The stored row, held until the transaction ends."""
    return (
        Show.objects.select_for_update(of=("self",))
        .select_related("organization", "artwork")
        .get(pk=show.pk)
    )


def _check_fields(show: Show) -> None:
    """Every wrong field at once."""
    errors: dict[str, list[ValidationError]] = {}
    checks: dict[str, Callable[[], None]] = {
        "handle": lambda: check_handle(show.handle, show=show),
        "category": lambda: validate_category(show.category),
        "language": lambda: validate_language(show.language),
        # A text field's own limit is one of forms only.
        "description": lambda: _validate_length(show.description),
    }
    try:
        show.clean_fields(exclude=["artwork"])
    except ValidationError as error:
        errors |= error.error_dict
    for field, check in checks.items():
        try:
            check()
        except ValidationError as error:
            errors.setdefault(field, [error])
    if errors:
        raise ValidationError(errors)


def _check_delivery(show: Show) -> None:
    """What an installation can't do may stay as it was stored, but not be chosen."""
    if show.delivery and show.delivery not in possible_modes():
        raise ValidationError(
            {
                "delivery": ValidationError(
                    f"This installation can't deliver “{DeliveryMode(show.delivery).label}”. "
                    "Choose another way.",
                    code="delivery_impossible",
                )
            }
        )


def _check_type(show: Show) -> None:
    """Apple sorts a serial show by episode number, so that each needs one."""
    if show.type != ShowType.SERIAL:
        return
    on_its_way = Q(status__in=[EpisodeStatus.PUBLISHED, EpisodeStatus.SCHEDULED]) | Q(
        is_published_when_ready=True
    )
    unnumbered = (
        Episode.objects.for_show(show)
        .filter(on_its_way, deleted_at=None, type=EpisodeType.FULL, episode_number=None)
        .count()
    )
    if unnumbered:
        raise ValidationError(
            {
                "type": ValidationError(
                    "A serial show plays in the order of its episode numbers. Published and "
                    f"scheduled episodes without one: {unnumbered}. Number them first.",
                    code="episodes_unnumbered",
                )
            }
        )
