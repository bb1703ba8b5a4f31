"""Deleting that can be undone: what is in the trash is restored, or purged when it is too old."""

import logging

from django.conf import settings
from django.db import transaction

from apps.accounts.rechecks import recheck_members
from apps.core.clock import now
from podcasts.models import Episode, Show
from podcasts.services.changes import announce, tell_lists, tell_lists_of_show
from podcasts.services.publishing import locked_episode
from podcasts.services.shows import locked_show
from podcasts.services.telling import is_told_public, tell_change, tell_show_came_or_went

logger = logging.getLogger(__name__)


@transaction.atomic
def delete_show(*, show: Show) -> None:
    """Put a show into the trash, with its episodes, which keep their own state."""
    _set_show_deleted(show, is_deleted=True)


@transaction.atomic
def restore_show(*, show: Show) -> None:
    """Take a show out of the trash, exactly as it was."""
    _set_show_deleted(show, is_deleted=False)


def _set_show_deleted(show: Show, *, is_deleted: bool) -> None:
    show = locked_show(show)
    if (show.deleted_at is not None) is is_deleted:
        return  # somebody else was faster
    show.deleted_at = now() if is_deleted else None
    show.save(update_fields=["deleted_at"])
    tell_show_came_or_went(show)
    tell_lists_of_show(show)
    announce(show.pk, Episode.objects.for_show(show).values_list("pk", flat=True))
    recheck_members(show.organization_id)


@transaction.atomic
def delete_episode(*, episode: Episode) -> None:
    """Put an episode into the trash; out of the feed it goes at once."""
    _set_episode_deleted(episode, is_deleted=True)


@transaction.atomic
def restore_episode(*, episode: Episode) -> None:
    """Take an episode out of the trash, exactly as it was."""
    _set_episode_deleted(episode, is_deleted=False)


def _set_episode_deleted(episode: Episode, *, is_deleted: bool) -> None:
    episode = locked_episode(episode.pk)
    if (episode.deleted_at is not None) is is_deleted:
        return  # somebody else was faster
    was_public = is_told_public(episode)
    episode.deleted_at = now() if is_deleted else None
    episode.save(update_fields=["deleted_at"])
    if was_public or is_told_public(episode):
        tell_change(episode, was_public=was_public)
    tell_lists([episode])
    announce(episode.show_id, [episode.pk])
    recheck_members(episode.organization_id)


def empty_trash() -> int:
    """Delete for good what has been in the trash for longer than ``TRASH_LIFETIME``.

    Returns how many shows and episodes went. May run twice and at the same time as itself. Audio
    and pictures are collected on their own once nothing uses them.
    """
    before = now() - settings.TRASH_LIFETIME
    purged = 0
    for show in Show.objects.in_trash().filter(deleted_at__lt=before):
        purged += _purge_show(show)
    for episode in Episode.objects.filter(deleted_at__lt=before):
        purged += _purge_episode(episode)
    return purged


@transaction.atomic
def _purge_show(show: Show) -> int:
    # Restored between reading and now: the lock and the filter decide.
    held = Show.objects.in_trash().select_for_update().filter(pk=show.pk).first()
    if held is None:
        return 0
    tell_lists_of_show(held)
    held.delete()
    logger.info("Show %s was purged from the trash", show.pk)
    return 1


@transaction.atomic
def _purge_episode(episode: Episode) -> int:
    held = (
        Episode.objects.select_for_update().filter(pk=episode.pk, deleted_at__isnull=False).first()
    )
    if held is None:
        return 0
    tell_lists([held])
    held.delete()
    logger.info("Episode %s was purged from the trash", episode.pk)
    return 1
