"""What the CDN is told to forget, and that it is told in the end, whatever fails meanwhile."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from botocore.stub import Stubber
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.core.clock import now
from apps.media.delivery import invalidation
from apps.media.models import CdnInvalidation
from apps.media.retention import delete_unused_objects
from apps.media.storage import storage
from podcasts.models import Episode, Show
from podcasts.services.episodes import attach_audio, update_episode
from podcasts.services.publishing import publish_episode, unpublish_episode
from podcasts.services.shows import update_show
from podcasts.services.trash import delete_episode, delete_show, restore_episode
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory
from tests.media.test_cdn_signing import pem, private_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

type Change = Callable[[Episode], object]


@pytest.fixture
def public_cdn(settings: LazySettings) -> None:
    """CloudFront reads this server, and can be told to forget."""
    settings.DELIVERY = "cdn"
    settings.CDN_DOMAIN = "d111.cloudfront.net"
    settings.CDN_ORIGIN_SECRETS = ["a-secret-of-the-origin"]
    settings.CDN_DISTRIBUTION = "EDFDVBD6EXAMPLE"


@pytest.fixture
def signed_cdn(settings: LazySettings) -> None:
    """CloudFront reads the bucket, and can be told to forget."""
    settings.DELIVERY = "cdn"
    settings.S3_BUCKET = "media"
    settings.CDN_DOMAIN = "d111.cloudfront.net"
    settings.CDN_KEY_PAIR_ID = "K2JCJMDEHXQW5F"
    settings.CDN_PRIVATE_KEY = pem(private_key())
    settings.CDN_DISTRIBUTION = "EDFDVBD6EXAMPLE"


@pytest.fixture
def cloudfront() -> Iterator[Stubber]:
    """CloudFront's API: knows its shapes, and gives the answers that were put into it."""
    with Stubber(invalidation._client()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def expect(cloudfront: Stubber, noted: CdnInvalidation) -> None:
    """The request that tells what was noted, and CloudFront's consent."""
    batch = {
        "Paths": {"Quantity": len(noted.paths), "Items": noted.paths},
        "CallerReference": str(noted.pk),
    }
    answer = {"Id": "I1", "Status": "InProgress", "CreateTime": now(), "InvalidationBatch": batch}
    cloudfront.add_response(
        "create_invalidation",
        {"Location": "https://cloudfront.amazonaws.com/", "Invalidation": answer},
        {"DistributionId": "EDFDVBD6EXAMPLE", "InvalidationBatch": batch},
    )


def refuse(cloudfront: Stubber, code: str = "TooManyInvalidationsInProgress") -> None:
    cloudfront.add_client_error("create_invalidation", code, http_status_code=400)


def noted_paths() -> list[str]:
    return [path for row in CdnInvalidation.objects.order_by("created_at") for path in row.paths]


def deleted(episode: Episode) -> Episode:
    """Without telling anybody."""
    Episode.objects.filter(pk=episode.pk).update(deleted_at=now())
    return episode


def note(*paths: str, **fields: Any) -> CdnInvalidation:
    return CdnInvalidation.objects.create(paths=list(paths), **fields)


def replace_audio(episode: Episode) -> None:
    asset = AssetFactory(organization=episode.organization)
    Episode.objects.filter(pk=episode.pk).update(incoming_audio=asset)
    attach_audio(episode=episode, asset=asset)


CHANGES: dict[str, Change] = {
    "audio replaced": replace_audio,
    "unpublished": lambda episode: unpublish_episode(episode=episode),
    "trashed": lambda episode: delete_episode(episode=episode),
    "restored": lambda episode: restore_episode(episode=deleted(episode)),
    "its show trashed": lambda episode: delete_show(show=episode.show),
    "delivered otherwise": lambda episode: update_show(show=episode.show, delivery="direct"),
}


@pytest.mark.usefixtures("public_cdn")
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_is_heard_is_noted_with_it(change: str) -> None:
    episode = EpisodeFactory()
    CHANGES[change](episode)
    assert noted_paths() == [f"/media/{episode.id}/*"]


@pytest.mark.usefixtures("public_cdn")
@pytest.mark.parametrize(
    "change",
    [
        lambda episode: update_episode(episode=episode, title="Another title"),
        lambda episode: update_show(show=episode.show, title="Another title"),
    ],
)
def test_a_change_of_words_costs_no_invalidation(change: Change) -> None:
    change(EpisodeFactory())
    assert noted_paths() == []


@pytest.mark.usefixtures("public_cdn")
def test_what_never_was_public_costs_no_invalidation() -> None:
    replace_audio(EpisodeFactory(status="draft", published_at=None))
    assert noted_paths() == []


@pytest.mark.usefixtures("public_cdn")
@pytest.mark.parametrize(("choice", "count"), [("", 1), ("cdn", 1), ("direct", 0), ("redirect", 0)])
def test_only_what_the_cdn_serves_is_forgotten_there(choice: str, count: int) -> None:
    unpublish_episode(episode=EpisodeFactory(show=ShowFactory(delivery=choice)))
    assert len(noted_paths()) == count


@pytest.mark.usefixtures("public_cdn")
def test_without_a_distribution_nothing_is_noted(settings: LazySettings) -> None:
    settings.CDN_DISTRIBUTION = ""
    unpublish_episode(episode=EpisodeFactory())
    assert noted_paths() == []


@pytest.mark.usefixtures("public_cdn")
def test_a_change_that_is_taken_back_is_not_noted() -> None:
    with transaction.atomic():
        unpublish_episode(episode=EpisodeFactory())
        transaction.set_rollback(True)
    assert noted_paths() == []


@pytest.mark.usefixtures("public_cdn")
def test_many_paths_are_told_in_shares() -> None:
    show = ShowFactory()
    EpisodeFactory.create_batch(17, show=show)
    delete_show(show=show)
    assert sorted(len(row.paths) for row in CdnInvalidation.objects.all()) == [2, 15]


@pytest.mark.usefixtures("signed_cdn")
def test_a_signed_cdn_forgets_objects_that_are_deleted(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[str] = []
    monkeypatch.setattr(type(storage()), "delete", lambda self, key: deleted.append(key))
    episode = EpisodeFactory()
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    unpublish_episode(episode=episode)
    assert noted_paths() == []  # the object never changes, and nobody gets an address of it
    delete_unused_objects([episode.audio.rendition.storage_key, "renditions/ab/cd.mp3"])
    assert deleted == ["renditions/ab/cd.mp3"]
    assert noted_paths() == ["/renditions/ab/cd.mp3"]


@pytest.mark.usefixtures("public_cdn")
def test_the_cdn_is_told_once_the_change_is_committed(
    cloudfront: Stubber, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    episode = EpisodeFactory()
    with django_capture_on_commit_callbacks() as callbacks:
        unpublish_episode(episode=episode)
    expect(cloudfront, CdnInvalidation.objects.get())
    for callback in callbacks:
        callback()
    assert noted_paths() == []


@pytest.mark.usefixtures("public_cdn")
def test_what_is_refused_is_told_again_later_under_the_same_name(cloudfront: Stubber) -> None:
    noted = note("/media/a/*")
    pauses = []
    for code in ("TooManyInvalidationsInProgress", "Throttling", "ServiceUnavailable"):
        with time_machine.travel(noted.due_at, tick=False):
            refuse(cloudfront, code)
            assert invalidation.send_due() == 0
            assert invalidation.send_due() == 0  # nothing is asked: it is not due yet
            noted.refresh_from_db()
            pauses.append((noted.due_at - now()).total_seconds())
    assert pauses == [20, 40, 80]
    expect(cloudfront, noted)
    with time_machine.travel(noted.due_at, tick=False):
        assert invalidation.send_due() == 1
    assert noted_paths() == []


@pytest.mark.usefixtures("public_cdn")
def test_a_refusal_spares_the_cdn_further_questions(cloudfront: Stubber) -> None:
    note("/media/a/*")
    note("/media/b/*")
    refuse(cloudfront)
    assert invalidation.send_due() == 0
    assert noted_paths() == ["/media/a/*", "/media/b/*"]


@pytest.mark.usefixtures("public_cdn")
def test_all_that_is_due_is_told_in_one_run_oldest_first(cloudfront: Stubber) -> None:
    later = note("/media/b/*")
    earlier = note("/media/a/*", due_at=now() - timedelta(minutes=1))
    note("/media/c/*", due_at=now() + timedelta(minutes=1))
    expect(cloudfront, earlier)
    expect(cloudfront, later)
    assert invalidation.send_due() == 2
    assert noted_paths() == ["/media/c/*"]


@pytest.mark.usefixtures("public_cdn")
def test_what_has_expired_by_itself_is_given_up(
    cloudfront: Stubber, caplog: pytest.LogCaptureFixture
) -> None:
    note("/media/a/*", created_at=now() - timedelta(days=1, seconds=1))
    refuse(cloudfront, "AccessDenied")
    assert invalidation.send_due() == 0
    assert noted_paths() == []
    assert "AccessDenied" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("public_cdn")
def test_what_another_run_is_telling_is_left_to_it() -> None:
    note("/media/a/*")
    with transaction.atomic():
        held = invalidation._claim()
        assert held is not None
    assert invalidation._claim() is None


def test_the_database_knows_the_modes() -> None:
    show = ShowFactory()
    with pytest.raises(IntegrityError, match="show_delivery_is_known"), transaction.atomic():
        Show.objects.filter(pk=show.pk).update(delivery="pigeon")
    assert connection.is_usable()


@pytest.mark.usefixtures("public_cdn")
def test_publishing_anew_forgets_that_there_was_nothing() -> None:
    episode = EpisodeFactory(status="unpublished")
    publish_episode(episode=episode)
    assert noted_paths() == [f"/media/{episode.id}/*"]
