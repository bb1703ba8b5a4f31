"""Which change tells what: each way of publishing, changing and withdrawing, once each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.core.clock import now
from apps.media import claims
from apps.media.models import AssetStatus
from apps.webhooks.endpoints import create_endpoint, update_endpoint
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from podcasts import audio
from podcasts.models import Episode, EpisodeStatus
from podcasts.services import episodes, numbering, publishing, trash
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory


@pytest.fixture
def listener(people: People) -> WebhookEndpoint:
    """An endpoint that wants all events; nothing is sent in these tests."""
    endpoint, _ = create_endpoint(
        organization=people.organization,
        created_by=people.owner,
        url="https://93.184.216.34/",
        events=list(EventType.values),
    )
    return endpoint


def make(people: People, status: str, **fields: Any) -> Episode:
    dates = {"draft": None, "scheduled": now() + timedelta(days=1)}
    fields = {"published_at": dates.get(status, now() - timedelta(hours=1))} | fields
    return EpisodeFactory(show__organization=people.organization, status=status, **fields)


def told() -> list[str]:
    """The types of all events so far, oldest first."""
    return list(WebhookEvent.objects.order_by("id").values_list("type", flat=True))


def delete_and_restore(episode: Episode) -> None:
    trash.delete_episode(episode=episode)
    trash.restore_episode(episode=episode)


def delete_and_restore_show(episode: Episode) -> None:
    trash.delete_show(show=episode.show)
    trash.restore_show(show=episode.show)


def renumber(episode: Episode) -> None:
    for _ in range(2):  # the second time nothing changes, and nothing is told
        numbering.reorder_season(show=episode.show, season_number=None, episode_ids=[episode.pk])


def replace_audio(episode: Episode) -> None:
    asset = AssetFactory(organization=episode.organization)
    audio.receive_audio(episode=episode, asset=asset)


YESTERDAY, TOMORROW = now() - timedelta(days=1), now() + timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "change", "expected"),
    [
        ("draft", lambda e: publishing.publish_episode(episode=e), ["episode.published"]),
        (
            "draft",
            lambda e: publishing.publish_episode(episode=e, at=YESTERDAY),
            ["episode.published"],
        ),
        (
            "draft",
            lambda e: publishing.schedule_episode(episode=e, at=TOMORROW),
            ["episode.updated"],
        ),
        ("draft", lambda e: episodes.update_episode(episode=e, title="New"), ["episode.updated"]),
        ("draft", delete_and_restore, []),
        ("scheduled", lambda e: publishing.cancel_schedule(episode=e), ["episode.updated"]),
        ("scheduled", lambda e: publishing.publish_episode(episode=e), ["episode.published"]),
        # A date that is merely edited publishes nothing
        (
            "published",
            lambda e: publishing.publish_episode(episode=e, at=YESTERDAY),
            ["episode.updated"],
        ),
        (
            "published",
            lambda e: publishing.publish_episode(episode=e, at=TOMORROW),
            ["episode.unpublished"],
        ),
        (
            "published",
            lambda e: episodes.update_episode(episode=e, notes="New"),
            ["episode.updated"],
        ),
        ("published", replace_audio, ["episode.updated"]),
        ("published", renumber, ["episode.updated"]),
        ("published", lambda e: publishing.unpublish_episode(episode=e), ["episode.unpublished"]),
        ("published", delete_and_restore, ["episode.unpublished", "episode.published"]),
        ("published", delete_and_restore_show, ["episode.unpublished", "episode.published"]),
        ("draft", delete_and_restore_show, []),
        ("unpublished", lambda e: publishing.publish_episode(episode=e), ["episode.published"]),
    ],
)
def test_every_change_is_told_as_what_it_is(
    people: People,
    listener: WebhookEndpoint,
    status: str,
    change: Callable[[Episode], object],
    expected: list[str],
) -> None:
    episode = make(people, status)
    change(episode)
    assert told() == expected


def test_the_clock_tells_when_it_publishes_and_once(
    people: People, listener: WebhookEndpoint
) -> None:
    episode = make(people, "scheduled")
    assert episode.published_at is not None
    with time_machine.travel(episode.published_at + timedelta(seconds=1)):
        assert publishing.publish_due_episodes() == 1
        assert publishing.publish_due_episodes() == 0
    assert told() == ["episode.published"]


def test_an_episode_that_waited_for_its_audio_is_told_as_published(
    people: People, listener: WebhookEndpoint
) -> None:
    asset = AssetFactory(organization=people.organization, status=AssetStatus.PENDING)
    episode = make(people, "draft", audio=None, incoming_audio=asset)
    publishing.publish_episode(episode=episode)
    assert told() == ["episode.updated"]  # that it will be published
    episodes.attach_audio(episode=episode, asset=asset)
    assert told() == ["episode.updated", "episode.published"]


def test_what_is_withdrawn_in_the_same_transaction_is_told_twice_in_order(
    people: People, listener: WebhookEndpoint
) -> None:
    episode = publishing.publish_episode(episode=make(people, "draft"))
    publishing.unpublish_episode(episode=episode)
    assert told() == ["episode.published", "episode.unpublished"]


def test_an_event_says_where_to_look(people: People, listener: WebhookEndpoint) -> None:
    episode = make(people, "draft", title="Größe", slug="groesse")
    publishing.publish_episode(episode=episode)
    publishing.unpublish_episode(episode=episode)
    published, unpublished = WebhookEvent.objects.order_by("id")
    show = episode.show
    assert published.data | {"published_at": ""} == {
        "organization_id": str(people.organization.id),
        "show_id": str(show.id),
        "show_title": show.title,
        "episode_id": str(episode.id),
        "guid": episode.guid,
        "title": "Größe",
        "status": "published",
        "published_at": "",
        "url": f"http://localhost:8000/shows/{show.handle}/groesse/",
        "audio_url": f"http://localhost:8000/media/{episode.id}/groesse.mp3",
        "api_url": f"http://localhost:8000/api/v1/episodes/{episode.id}/",
    }
    assert published.show_id == show.id
    assert unpublished.data["status"] == "unpublished"
    assert unpublished.data["url"] is None


def test_other_tenants_hear_nothing(people: People, listener: WebhookEndpoint) -> None:
    episode = EpisodeFactory(status="draft", published_at=None)
    publishing.publish_episode(episode=episode)
    assert told() == []


def test_without_an_endpoint_publishing_writes_nothing_down(people: People) -> None:
    publishing.publish_episode(episode=make(people, "draft"))
    trash.delete_show(show=make(people, EpisodeStatus.PUBLISHED).show)
    assert told() == []


def test_an_endpoint_of_one_show_hears_of_its_episodes(
    people: People, listener: WebhookEndpoint
) -> None:
    ours = ShowFactory(organization=people.organization)
    update_endpoint(endpoint=listener, show_id=ours.pk)
    for show in (ours, ShowFactory(organization=people.organization)):
        publishing.publish_episode(
            episode=EpisodeFactory(show=show, status="draft", published_at=None)
        )
    assert [event.show_id for event in WebhookEvent.objects.all()] == [ours.pk]


@pytest.mark.parametrize(
    ("is_waited_for", "is_good"), [(True, True), (True, False), (False, False)]
)
def test_a_processed_file_is_told_with_its_outcome(
    people: People,
    listener: WebhookEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    is_waited_for: bool,
    is_good: bool,
) -> None:
    asset = AssetFactory(organization=people.organization, status=AssetStatus.PROCESSING)
    episode = make(people, "draft", audio=None, incoming_audio=asset if is_waited_for else None)
    if is_good:
        asset.status = AssetStatus.READY
        asset.save()
        audio._ready(asset)
    else:
        claims.fail(
            type(asset).objects.filter(pk=asset.pk), "not-audio", "No audio.", audio._failed
        )
    event = WebhookEvent.objects.get(type="upload.processed")
    assert event.show_id == (episode.show_id if is_waited_for else None)
    assert event.data["asset_id"] == str(asset.pk)
    assert event.data["episode_ids"] == ([str(episode.pk)] if is_waited_for else [])
    assert event.data["status"] == ("ready" if is_good else "failed")
    error = {"code": "not-audio", "detail": "No audio."}
    assert event.data["error"] == (None if is_good else error)
    assert WebhookDelivery.objects.filter(event=event).count() == 1


def test_what_was_published_since_it_was_read_is_told_when_it_is_deleted(
    people: People, listener: WebhookEndpoint
) -> None:
    read = make(people, "draft")
    publishing.publish_episode(episode=Episode.objects.get(pk=read.pk))
    trash.delete_episode(episode=read)
    assert told() == ["episode.published", "episode.unpublished"]


def test_two_who_delete_a_public_episode_or_its_show_tell_it_once(
    people: People, listener: WebhookEndpoint
) -> None:
    ways: list[Callable[[Episode], object]] = [
        lambda episode: trash.delete_episode(episode=episode),
        lambda episode: trash.delete_show(show=episode.show),
    ]
    for delete in ways:
        episode = make(people, "published")
        both = [Episode.objects.select_related("show").get(pk=episode.pk) for _ in range(2)]
        for read in both:
            delete(read)
    assert told() == ["episode.unpublished"] * 2
