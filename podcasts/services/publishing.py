"""When an episode is public: published, scheduled, withdrawn, by hand and by the clock."""

import logging
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.core.clock import now
from apps.media.models import AssetStatus
from podcasts.feeds.publish import refresh_feed
from podcasts.models import Episode, EpisodeStatus, EpisodeType, ShowType
from podcasts.services.changes import announce, announce_audio, tell_lists
from podcasts.services.telling import is_told_public, tell_change

logger = logging.getLogger(__name__)
PUBLIC_FIELDS = ["status", "published_at", "is_published_when_ready", "updated_at"]


def locked_episode(episode_id: UUID) -> Episode:
    """The stored row, held until the transaction ends, with all that the rules look at."""
    return (
        Episode.objects.select_for_update(of=("self",))
        .select_related("show", "organization", "artwork", "audio", "incoming_audio")
        .get(pk=episode_id)
    )


def is_on_its_way(episode: Episode) -> bool:
    """Whether it is public, or will be without anybody doing anything more."""
    return episode.is_published_when_ready or episode.status in (
        EpisodeStatus.PUBLISHED,
        EpisodeStatus.SCHEDULED,
    )


def is_public(episode: Episode, at: datetime) -> bool:
    """Whether anybody can get it at this moment; the clock's job may still be to come."""
    return (
        episode.status in (EpisodeStatus.PUBLISHED, EpisodeStatus.SCHEDULED)
        and episode.published_at is not None
        and episode.published_at <= at
    )


def check_number(episode: Episode) -> None:
    """Apple: a serial show's full episodes need numbers; trailers and bonuses have none."""
    is_numbered = episode.episode_number is not None or episode.type != EpisodeType.FULL
    if episode.show.type == ShowType.SERIAL and not is_numbered:
        raise ValidationError(
            {
                "episode_number": ValidationError(
                    "This show is serial, so that apps sort it by episode number. "
                    "Give the episode a number.",
                    code="number_missing",
                )
            }
        )


@transaction.atomic
def publish_episode(*, episode: Episode, at: datetime | None = None) -> Episode:
    """Publish now, or with the date ``at``: in the past as pubDate, in the future as a plan.

    Without ``at``, an episode that was public before keeps its pubDate, so that apps don't take
    it for a new one. While its first audio is still processed, it is published as soon as that
    is ready. Raises ValidationError with the code audio_missing, audio_failed or number_missing.
    """
    episode = locked_episode(episode.pk)
    was_public = is_told_public(episode)
    _check_audio(episode)
    check_number(episode)
    moment = now()
    if at is not None:
        episode.published_at = at
    elif episode.published_at is None or episode.published_at > moment:
        episode.published_at = moment
    if episode.audio_id is None:
        # The moment of publishing is then when the audio is ready, unless a date was chosen.
        episode.published_at = at
        episode.is_published_when_ready = True
    else:
        _make_public(episode, moment)
    _save(episode, was_public=was_public)
    return episode


def schedule_episode(*, episode: Episode, at: datetime) -> Episode:
    """Publish by itself at a moment to come; ValidationError (past_date) when it has passed."""
    if at <= now():
        raise ValidationError(
            {
                "publish_at": ValidationError(
                    "This moment has passed. Choose a later one, or publish at once.",
                    code="past_date",
                )
            }
        )
    return publish_episode(episode=episode, at=at)


@transaction.atomic
def cancel_schedule(*, episode: Episode) -> Episode:
    """Take back a plan, or the wish to publish when the audio is ready; the date goes with it.

    Raises ValidationError (already_public) when its moment has come meanwhile.
    """
    episode = locked_episode(episode.pk)
    if is_public(episode, now()):
        raise ValidationError(
            "The episode is public already. Unpublish it instead.", code="already_public"
        )
    if is_on_its_way(episode):
        episode.status = EpisodeStatus.DRAFT
        episode.published_at = None
        episode.is_published_when_ready = False
        _save(episode, was_public=False)
    return episode


@transaction.atomic
def unpublish_episode(*, episode: Episode) -> Episode:
    """Take it out of feed and pages; its date and GUID stay for when it comes back."""
    episode = locked_episode(episode.pk)
    if not is_public(episode, now()):
        raise ValidationError("The episode is not public.", code="not_public")
    was_public = is_told_public(episode)
    episode.status = EpisodeStatus.UNPUBLISHED
    _save(episode, was_public=was_public)
    return episode


def publish_if_wanted(episode: Episode) -> None:
    """Do for a locked episode whose audio has come what was asked for before it had any."""
    if not episode.is_published_when_ready:
        return
    try:
        check_number(episode)
    except ValidationError:
        # Can't happen through our services; a draft is what a person can mend.
        episode.is_published_when_ready = False
        return
    moment = now()
    episode.published_at = episode.published_at or moment
    _make_public(episode, moment)


def publish_due_episodes() -> int:
    """Publish every scheduled episode whose time has come; returns how many there were.

    May run twice and at the same time as itself. One show's failure doesn't stop the others, and
    is tried again by the next run.
    """
    moment = now()
    show_ids = list(Episode.objects.due(moment).values_list("show_id", flat=True).distinct())
    count = 0
    for show_id in show_ids:
        try:
            count += _publish_due_of(show_id, moment)
        except Exception:
            logger.exception("Scheduled episodes of show %s could not be published", show_id)
    return count


@transaction.atomic
def _publish_due_of(show_id: UUID, moment: datetime) -> int:
    due = list(
        Episode.objects.due(moment)
        .filter(show_id=show_id)
        .select_related("show", "audio")
        .prefetch_related("audio__renditions")
        .select_for_update(skip_locked=True, of=("self",))
    )
    if not due:
        return 0
    for episode in due:
        _make_public(episode, moment)
        episode.updated_at = moment
        episode.save(update_fields=PUBLIC_FIELDS)
        tell_change(episode, was_public=False)
    # Inside the transaction: when the feed can't be rendered, the episodes stay due.
    refresh_feed(show_id)
    announce_audio(episode.pk for episode in due)
    tell_lists(due)
    return len(due)


def _check_audio(episode: Episode) -> None:
    if episode.audio_id is not None:
        return
    if episode.incoming_audio is None:
        raise ValidationError(
            "The episode has no audio yet. Add the file, then publish it.", code="audio_missing"
        )
    if episode.incoming_audio.status == AssetStatus.FAILED:
        raise ValidationError(
            "The audio file could not be used. Add another one, then publish the episode.",
            code="audio_failed",
        )


def _make_public(episode: Episode, moment: datetime) -> None:
    is_planned = episode.published_at is not None and episode.published_at > moment
    episode.status = EpisodeStatus.SCHEDULED if is_planned else EpisodeStatus.PUBLISHED
    episode.is_published_when_ready = False


def _save(episode: Episode, *, was_public: bool) -> None:
    episode.updated_at = now()
    episode.save(update_fields=PUBLIC_FIELDS)
    tell_change(episode, was_public=was_public)
    tell_lists([episode])
    announce(episode.show_id, [episode.pk])
