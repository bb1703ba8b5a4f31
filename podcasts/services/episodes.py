"""What changes in what an episode says: its texts, numbers and picture."""

from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from apps.accounts.models import User
from apps.core.clock import now
from apps.media.models import Asset, Image
from podcasts.models import Episode, Show
from podcasts.notes import render_notes
from podcasts.services.artwork import store_artwork
from podcasts.services.changes import announce, tell_lists
from podcasts.services.publishing import (
    PUBLIC_FIELDS,
    check_number,
    is_on_its_way,
    locked_episode,
    publish_if_wanted,
)
from podcasts.services.telling import is_told_public, tell_change

MAX_SLUG = 100
MAX_NOTES = 100_000


class EpisodeFields(TypedDict, total=False):
    """What a person can say about an episode, artwork, audio and publishing apart."""

    title: str
    notes: str
    season_number: int | None
    episode_number: int | None
    type: str
    is_explicit: bool


def create_episode(
    *,
    show: Show,
    created_by: User | None,
    artwork: bytes | None = None,
    **fields: Unpack[EpisodeFields],
) -> Episode:
    """A draft; its slug is made from the title and stays. Raises ValidationError by field."""
    episode = Episode(
        show=show,
        organization_id=show.organization_id,
        created_by=created_by,
        **{"is_explicit": show.is_explicit} | fields,
    )
    if artwork:
        episode.artwork = store_artwork(organization_id=show.organization_id, content=artwork)
    with transaction.atomic():
        # Two episodes made at once in a show must not choose the same slug.
        Show.objects.select_for_update().get(pk=show.pk)
        episode.slug = _free_slug(show, episode.title)
        _prepare(episode)
        episode.save(force_insert=True)
        tell_lists([episode])
    return episode


def update_episode(
    *,
    episode: Episode,
    artwork: bytes | None = None,
    is_artwork_removed: bool = False,
    **fields: Unpack[EpisodeFields],
) -> Episode:
    """Change what is named and nothing else; returns the stored episode.

    Raises ValidationError by field.
    """
    picture = None
    if artwork:
        picture = store_artwork(organization_id=episode.organization_id, content=artwork)
    return _update(episode, fields, picture, is_artwork_removed=is_artwork_removed)


@transaction.atomic
def _update(
    episode: Episode, fields: EpisodeFields, picture: Image | None, *, is_artwork_removed: bool
) -> Episode:
    episode = locked_episode(episode.pk)
    for name, value in fields.items():
        setattr(episode, name, value)
    if picture is not None or is_artwork_removed:
        episode.artwork = picture
    _prepare(episode)
    if is_on_its_way(episode):
        check_number(episode)
    episode.updated_at = now()
    episode.save(update_fields=[*fields, "notes_html", "artwork", "updated_at"])
    tell_change(episode, was_public=is_told_public(episode))
    tell_lists([episode])
    announce(episode.show_id)
    return episode


@transaction.atomic
def attach_audio(*, episode: Episode, asset: Asset) -> None:
    """Serve a processed file, and publish the episode if that was waited for.

    GUID and date stay. May run twice; does nothing when a newer file has taken this one's place.
    """
    episode = locked_episode(episode.pk)
    if episode.incoming_audio_id != asset.pk:
        return
    was_public = is_told_public(episode)
    episode.audio = asset
    episode.incoming_audio = None
    publish_if_wanted(episode)
    episode.updated_at = now()
    episode.save(update_fields=["audio", "incoming_audio", *PUBLIC_FIELDS])
    tell_change(episode, was_public=was_public)
    tell_lists([episode])
    announce(episode.show_id, [episode.pk])


def _prepare(episode: Episode) -> None:
    episode.clean_fields(exclude=["artwork", "audio", "incoming_audio", "created_by"])
    if len(episode.notes) > MAX_NOTES:
        raise ValidationError(
            {
                "notes": ValidationError(
                    f"The notes are longer than {MAX_NOTES} characters. Shorten them.",
                    code="max_length",
                )
            }
        )
    episode.notes_html = render_notes(episode.notes)


def _free_slug(show: Show, title: str) -> str:
    """The title in ASCII, numbered when another episode, even a deleted one, has it."""
    base = slugify(title)[: MAX_SLUG - 6].strip("-_") or "episode"
    taken = set(
        Episode.objects.for_show(show).filter(slug__startswith=base).values_list("slug", flat=True)
    )
    if base not in taken:
        return base
    return next(
        slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken
    )
