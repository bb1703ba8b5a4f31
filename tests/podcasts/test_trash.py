"""Deleting, restoring and emptying the trash."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.core.clock import now
from apps.media.garbage import collect_garbage
from apps.media.models import Asset, Image
from podcasts.models import Episode, FeedDocument, Handle, Show
from podcasts.services.handles import check_handle
from podcasts.services.trash import (
    delete_episode,
    delete_show,
    empty_trash,
    restore_episode,
    restore_show,
)
from tests.factories import EpisodeFactory, ImageFactory, ShowFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]
AFTER = settings.TRASH_LIFETIME + timedelta(minutes=1)


def test_a_deleted_show_takes_its_episodes_along_and_brings_them_back_as_they_were() -> None:
    show = ShowFactory()
    kept = EpisodeFactory(show=show)
    gone = EpisodeFactory(show=show, deleted_at=now())
    delete_show(show=show)
    assert not Episode.objects.alive().exists()
    assert not Episode.objects.in_trash().exists()  # they go with their show, not by themselves
    restore_show(show=show)
    assert list(Episode.objects.alive()) == [kept]
    assert list(Episode.objects.in_trash()) == [gone]


def test_a_deleted_episode_leaves_the_feed_and_comes_back_to_it(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    episode = EpisodeFactory(title="There and back")
    for action, is_in in [(delete_episode, False), (restore_episode, True)]:
        with django_capture_on_commit_callbacks(execute=True):
            action(episode=episode)
        xml = bytes(FeedDocument.objects.get().xml).decode()
        assert ("There and back" in xml) is is_in


def test_a_deleted_show_has_no_feed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    show = ShowFactory()
    for action, count in [(delete_show, 0), (restore_show, 1)]:
        with django_capture_on_commit_callbacks(execute=True):
            action(show=show)
        assert FeedDocument.objects.count() == count


def test_the_trash_keeps_what_it_holds_for_thirty_days() -> None:
    show = ShowFactory(deleted_at=now())
    EpisodeFactory(show=show)
    episode = EpisodeFactory(deleted_at=now())
    with time_machine.travel(now() + timedelta(days=29)):
        assert empty_trash() == 0
    with time_machine.travel(now() + AFTER):
        assert empty_trash() == 2
        assert empty_trash() == 0
    assert not Show.objects.filter(pk=show.pk).exists()
    assert not Episode.objects.exists()
    assert Show.objects.get() == episode.show


def test_what_was_restored_is_not_purged() -> None:
    episode = EpisodeFactory(deleted_at=now())
    restore_episode(episode=episode)
    with time_machine.travel(now() + AFTER):
        assert empty_trash() == 0


def test_the_handle_of_a_purged_show_is_never_given_to_another() -> None:
    """Whoever got it would get the subscribers of the old show."""
    show = ShowFactory(handle="gone", deleted_at=now() - AFTER)
    assert empty_trash() == 1
    assert Handle.objects.get(handle=show.handle).show is None
    with pytest.raises(Exception, match="Another show has or had this handle"):
        check_handle("gone")


def test_purging_leaves_pictures_and_audio_to_the_collection_of_garbage() -> None:
    shared = ImageFactory()
    ShowFactory(artwork=shared)
    EpisodeFactory(artwork=shared, deleted_at=now() - AFTER)
    own = EpisodeFactory(artwork=ImageFactory(), deleted_at=now() - AFTER)
    assert empty_trash() == 2
    assert Asset.objects.count() == 2
    collect_garbage(now(), tell=print)
    assert Image.objects.filter(pk=own.artwork_id).exists()
    collect_garbage(now() + settings.GARBAGE_GRACE, tell=print)
    assert Image.objects.filter(pk=shared.pk).exists()
    assert not Image.objects.filter(pk=own.artwork_id).exists()
    assert not Asset.objects.exists()
