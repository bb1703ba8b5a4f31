"""What can be done with episodes, and when they are public."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.core.clock import now
from apps.media.models import AssetStatus
from podcasts.feeds.publish import refresh_feed
from podcasts.models import Episode, FeedDocument
from podcasts.services.episodes import (
    attach_audio,
    create_episode,
    update_episode,
)
from podcasts.services.numbering import next_number
from podcasts.services.publishing import (
    cancel_schedule,
    publish_due_episodes,
    publish_episode,
    schedule_episode,
    unpublish_episode,
)
from podcasts.tasks import publish_due
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def draft(**fields: Any) -> Episode:
    return EpisodeFactory(**{"status": "draft", "published_at": None} | fields)


def waiting(**fields: Any) -> Episode:
    """A draft whose first audio is still processed."""
    episode = draft(audio=None, **fields)
    episode.incoming_audio = AssetFactory(
        organization=episode.organization, status=AssetStatus.PROCESSING, rendition=None
    )
    episode.save()
    return episode


def code_of(error: ValidationError) -> str | None:
    if hasattr(error, "error_dict"):
        return next(iter(error.error_dict.values()))[0].code
    return error.code


def feed_of(episode: Episode) -> str:
    return bytes(FeedDocument.objects.get(show=episode.show).xml).decode()


# --- Texts and numbers --------------------------------------------------------------------------


def test_a_new_episode_is_a_draft_with_rendered_notes_and_a_random_guid() -> None:
    show = ShowFactory(is_explicit=True)
    first, second = (
        create_episode(show=show, created_by=None, title="One", notes="**Hi** <script>")
        for _ in range(2)
    )
    assert first.status == "draft"
    assert first.is_explicit  # as its show
    assert first.notes_html == "<p><strong>Hi</strong> &lt;script&gt;</p>"
    assert first.guid != second.guid


@pytest.mark.parametrize(
    ("titles", "slugs"),
    [
        (["One", "One", "One"], ["one", "one-2", "one-3"]),
        (["深夜", "电台"], ["episode", "episode-2"]),
        (["One two", "One"], ["one-two", "one"]),
        (["a" * 255, "a" * 255], ["a" * 94, "a" * 94 + "-2"]),
    ],
)
def test_a_slug_is_unique_in_its_show(titles: list[str], slugs: list[str]) -> None:
    show = ShowFactory()
    made = [create_episode(show=show, created_by=None, title=title) for title in titles]
    assert [episode.slug for episode in made] == slugs


def test_a_slug_and_guid_stay_when_everything_else_changes() -> None:
    episode = EpisodeFactory(slug="one", notes="")
    changed = update_episode(episode=episode, title="Two", notes="*new*")
    assert (changed.slug, changed.guid) == ("one", episode.guid)
    assert changed.notes_html == "<p><em>new</em></p>"


def test_a_deleted_episode_keeps_its_slug() -> None:
    show = ShowFactory()
    EpisodeFactory(show=show, slug="one", deleted_at=now())
    assert create_episode(show=show, created_by=None, title="One").slug == "one-2"


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"notes": "x" * 100_001},
        {"episode_number": 0},
        {"season_number": 0},
        {"type": "other"},
    ],
)
def test_a_wrong_field_is_refused(fields: Any) -> None:
    episode = EpisodeFactory()
    with pytest.raises(ValidationError) as caught:
        update_episode(episode=episode, **fields)
    assert set(caught.value.error_dict) == set(fields)


def test_an_edit_reaches_the_feed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, clean_valkey: None
) -> None:
    episode = EpisodeFactory()
    with django_capture_on_commit_callbacks(execute=True):
        update_episode(episode=episode, title="Fresh title")
    assert "Fresh title" in feed_of(episode)


def test_an_edit_does_not_undo_what_the_clock_did_meanwhile() -> None:
    stale = draft(status="scheduled", published_at=now() + HOUR)
    Episode.objects.filter(pk=stale.pk).update(status="published", published_at=now())
    update_episode(episode=stale, title="Other")
    assert Episode.objects.get(pk=stale.pk).status == "published"


def test_the_next_number_counts_within_the_last_season() -> None:
    show = ShowFactory()
    assert next_number(show) == 1
    for season, number in [(1, 8), (2, 1), (2, 2)]:
        EpisodeFactory(show=show, season_number=season, episode_number=number)
    assert next_number(show) == 3


# --- Publishing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: draft(audio=None), "audio_missing"),
        (
            lambda: draft(
                audio=None,
                incoming_audio=AssetFactory(status="failed", error_message="No sound in it."),
            ),
            "audio_failed",
        ),
        (lambda: draft(show__type="serial"), "number_missing"),
    ],
)
def test_what_can_not_be_published_says_why(make: Any, code: str) -> None:
    episode = make()
    with pytest.raises(ValidationError) as caught:
        publish_episode(episode=episode)
    assert code_of(caught.value) == code
    assert Episode.objects.get().status == "draft"


@pytest.mark.parametrize("fields", [{"episode_number": 1}, {"type": "trailer"}, {"type": "bonus"}])
def test_a_serial_show_takes_numbered_episodes_and_extras(fields: Any) -> None:
    assert publish_episode(episode=draft(show__type="serial", **fields)).status == "published"


def test_a_public_episode_of_a_serial_show_keeps_a_number() -> None:
    episode = EpisodeFactory(show__type="serial", episode_number=3)
    with pytest.raises(ValidationError) as caught:
        update_episode(episode=episode, episode_number=None)
    assert code_of(caught.value) == "number_missing"


def test_publishing_puts_an_episode_into_the_feed_and_unpublishing_takes_it_out(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, clean_valkey: None
) -> None:
    episode = draft(title="In and out")
    for action, is_in in [(publish_episode, True), (unpublish_episode, False)]:
        with django_capture_on_commit_callbacks(execute=True):
            action(episode=episode)
        assert ("In and out" in feed_of(episode)) is is_in


def test_the_date_and_guid_stay_when_an_episode_comes_back() -> None:
    published = publish_episode(episode=draft())
    unpublish_episode(episode=published)
    with time_machine.travel(now() + 30 * HOUR):
        again = publish_episode(episode=published)
    assert again.status == "published"
    assert (again.published_at, again.guid) == (published.published_at, published.guid)


def test_a_date_in_the_past_is_taken_over() -> None:
    long_ago = now() - timedelta(days=400)
    assert publish_episode(episode=EpisodeFactory(), at=long_ago).published_at == long_ago


def test_publishing_a_scheduled_episode_now_makes_now_its_date() -> None:
    episode = draft(status="scheduled", published_at=now() + HOUR)
    with time_machine.travel(now(), tick=False):
        published = publish_episode(episode=episode)
        assert (published.status, published.published_at) == ("published", now())


def test_only_a_public_episode_can_be_unpublished() -> None:
    with pytest.raises(ValidationError) as caught:
        unpublish_episode(episode=draft())
    assert code_of(caught.value) == "not_public"


# --- Scheduling ---------------------------------------------------------------------------------


@pytest.fixture
def planned() -> Episode:
    return schedule_episode(episode=draft(title="Planned"), at=now() + HOUR)


def test_a_scheduled_episode_is_published_by_itself(planned: Episode, clean_valkey: None) -> None:
    publish_due()
    assert Episode.objects.get().status == "scheduled"
    with time_machine.travel(now() + HOUR):
        publish_due()
    episode = Episode.objects.get()
    assert (episode.status, episode.published_at) == ("published", planned.published_at)
    assert "Planned" in feed_of(episode)


def test_publishing_what_is_due_twice_changes_nothing(planned: Episode, clean_valkey: None) -> None:
    with time_machine.travel(now() + HOUR):
        assert publish_due_episodes() == 1
        before = Episode.objects.values().get()
        assert publish_due_episodes() == 0
        assert Episode.objects.values().get() == before


def test_a_feed_that_fails_leaves_its_episodes_due_and_others_are_published(
    planned: Episode, monkeypatch: pytest.MonkeyPatch, clean_valkey: None
) -> None:
    other = schedule_episode(episode=draft(), at=now() + HOUR)

    def fail_for_planned(show_id: Any) -> None:
        if show_id == planned.show_id:
            raise RuntimeError("no feed")
        refresh_feed(show_id)

    with time_machine.travel(now() + HOUR):
        with monkeypatch.context() as patch:
            patch.setattr("podcasts.services.publishing.refresh_feed", fail_for_planned)
            assert publish_due_episodes() == 1
        statuses = dict(Episode.objects.values_list("pk", "status"))
        assert statuses == {planned.pk: "scheduled", other.pk: "published"}
        assert publish_due_episodes() == 1


def test_what_lies_in_the_trash_is_not_published(planned: Episode) -> None:
    Episode.objects.update(deleted_at=now())
    with time_machine.travel(now() + HOUR):
        assert publish_due_episodes() == 0


def test_a_moment_that_has_passed_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        schedule_episode(episode=draft(), at=now() - HOUR)
    assert code_of(caught.value) == "past_date"


def test_a_cancelled_schedule_leaves_a_draft_without_date(planned: Episode) -> None:
    cancelled = cancel_schedule(episode=planned)
    assert (cancelled.status, cancelled.published_at) == ("draft", None)


def test_a_schedule_whose_time_has_come_can_not_be_cancelled(planned: Episode) -> None:
    with time_machine.travel(now() + HOUR), pytest.raises(ValidationError) as caught:
        cancel_schedule(episode=planned)
    assert code_of(caught.value) == "already_public"


@pytest.mark.django_db(transaction=True)
def test_episodes_that_another_worker_holds_are_left_to_it(clean_valkey: None) -> None:
    planned = draft(status="scheduled", published_at=now() - HOUR)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT id FROM podcasts_episode WHERE id = %s FOR UPDATE", [planned.pk])
            assert publish_due_episodes() == 0  # without waiting
        other.rollback()
    finally:
        other.close()
    assert publish_due_episodes() == 1


# --- Audio that comes later ---------------------------------------------------------------------


def attached(episode: Episode) -> Episode:
    assert episode.incoming_audio is not None
    attach_audio(episode=episode, asset=episode.incoming_audio)
    return Episode.objects.get(pk=episode.pk)


def test_publish_pressed_early_is_fulfilled_when_the_audio_is_ready() -> None:
    episode = waiting()
    pressed = publish_episode(episode=episode)
    assert (pressed.status, pressed.is_published_when_ready) == ("draft", True)
    with time_machine.travel(now() + HOUR, tick=False):
        public = attached(episode)
        assert (public.status, public.published_at) == ("published", now())
    assert not public.is_published_when_ready
    assert public.incoming_audio is None


@pytest.mark.parametrize(
    ("ready_after", "status"), [(timedelta(), "scheduled"), (2 * HOUR, "published")]
)
def test_a_date_chosen_early_is_kept(ready_after: timedelta, status: str) -> None:
    episode = waiting()
    at: datetime = now() + HOUR
    schedule_episode(episode=episode, at=at)
    with time_machine.travel(now() + ready_after):
        ready = attached(episode)
    assert (ready.status, ready.published_at) == (status, at)


def test_a_wish_to_publish_can_be_taken_back() -> None:
    episode = waiting()
    publish_episode(episode=episode)
    cancel_schedule(episode=episode)
    assert attached(episode).status == "draft"


def test_new_audio_keeps_guid_date_and_status() -> None:
    episode = EpisodeFactory()
    episode.incoming_audio = AssetFactory(organization=episode.organization)
    episode.save()
    replaced = attached(episode)
    assert replaced.audio == episode.incoming_audio
    assert (replaced.guid, replaced.published_at, replaced.status) == (
        episode.guid,
        episode.published_at,
        "published",
    )


def test_a_file_that_was_superseded_is_not_attached() -> None:
    episode = waiting()
    late = AssetFactory(organization=episode.organization)
    attach_audio(episode=episode, asset=late)
    assert Episode.objects.get().audio is None
