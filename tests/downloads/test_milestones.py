"""Round numbers of downloads: each told once, and only to those who asked before."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from apps.core.clock import now
from apps.downloads.milestones import FIRST, find_milestones, milestones
from apps.downloads.models import Milestone, MilestoneWatch, MonthTotal
from apps.webhooks.endpoints import create_endpoint, update_endpoint
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookEndpoint, WebhookEvent
from podcasts.models import Episode
from podcasts.services.trash import delete_episode
from tests.conftest import People
from tests.factories import EpisodeFactory


@pytest.mark.parametrize(
    ("above", "up_to", "expected"),
    [
        (0, 0, []),
        (0, 99, []),
        (0, 100, [100]),
        (99, 100, [100]),
        (100, 100, []),
        (100, 249, []),
        (0, 1200, [100, 250, 500, 1000]),
        (9_000, 30_000, [10_000, 25_000]),
        (1200, 90, []),  # counted again, and less
        (999_999, 1_000_000, [1_000_000]),
    ],
)
def test_milestones_between_two_numbers(above: int, up_to: int, expected: list[int]) -> None:
    assert list(milestones(above=above, up_to=up_to)) == expected


@given(st.lists(st.integers(0, 10**7), max_size=30))
def test_however_a_number_moves_each_milestone_comes_once(totals: list[int]) -> None:
    reached, told = 0, []
    for total in totals:
        for milestone in milestones(above=reached, up_to=total):
            told.append(milestone)
            reached = milestone
    assert told == list(milestones(above=0, up_to=max(totals, default=0)))


def endpoint_of(people: People, **fields: Any) -> WebhookEndpoint:
    endpoint, _ = create_endpoint(
        organization=people.organization,
        created_by=people.owner,
        url="https://93.184.216.34/",
        events=[EventType.DOWNLOADS_MILESTONE],
        **fields,
    )
    return endpoint


def have(episode: Episode, downloads: int, *, of_show: int | None = None) -> None:
    """An episode and its show have this many downloads in all."""
    of_show = downloads if of_show is None else of_show
    numbers: list[tuple[Any, int]] = [(episode.pk, downloads), (None, of_show)]
    for episode_id, count in numbers:
        MonthTotal.objects.update_or_create(
            show_id=episode.show_id,
            episode_id=episode_id,
            dimension="",
            value="",
            month=now().date().replace(day=1),
            defaults={"organization_id": episode.organization_id, "downloads": count},
        )


def told() -> list[tuple[str, int]]:
    """What has been told since the last call."""
    find_milestones()
    events = WebhookEvent.objects.filter(type="downloads.milestone").order_by("id")
    found = [(event.data["subject"], event.data["milestone"]) for event in events]
    WebhookEvent.objects.all().delete()
    return sorted(found)


@pytest.fixture
def episode(people: People) -> Episode:
    return EpisodeFactory(show__organization=people.organization)


def test_each_milestone_is_told_once(people: People, episode: Episode) -> None:
    endpoint_of(people)
    assert told() == []
    have(episode, FIRST - 1)
    assert told() == []
    have(episode, FIRST)
    assert told() == [("episode", 100), ("show", 100)]
    assert told() == []
    have(episode, 40)  # a recount
    assert told() == []
    have(episode, 260, of_show=600)
    assert told() == [("episode", 250), ("show", 250), ("show", 500)]


def test_what_was_reached_before_anybody_asked_is_not_told(
    people: People, episode: Episode
) -> None:
    have(episode, 1_200)
    endpoint_of(people)
    assert told() == []
    have(episode, 3_000)
    assert told() == [("episode", 2500), ("show", 2500)]


def test_nor_what_was_reached_while_nobody_wanted_to_know(people: People, episode: Episode) -> None:
    endpoint = endpoint_of(people)
    told()
    update_endpoint(endpoint=endpoint, is_enabled=False)
    have(episode, 300)
    assert told() == []
    assert not MilestoneWatch.objects.exists()
    update_endpoint(endpoint=endpoint, is_enabled=True)
    assert told() == []
    have(episode, 500)
    assert told() == [("episode", 500), ("show", 500)]


def test_an_event_says_what_and_where(people: People, episode: Episode) -> None:
    endpoint_of(people)
    find_milestones()
    have(episode, 104, of_show=0)
    find_milestones()
    event = WebhookEvent.objects.get()
    assert event.show_id == episode.show_id
    assert event.data == {
        "organization_id": str(people.organization.pk),
        "subject": "episode",
        "show_id": str(episode.show_id),
        "show_title": episode.show.title,
        "episode_id": str(episode.pk),
        "title": episode.title,
        "milestone": 100,
        "downloads": 104,
        "url": f"http://localhost:8000/shows/{episode.show.handle}/{episode.slug}/",
        "api_url": f"http://localhost:8000/api/v1/episodes/{episode.pk}/",
    }


def test_what_was_deleted_is_silent(people: People, episode: Episode) -> None:
    endpoint_of(people)
    told()
    have(episode, 150, of_show=50)
    delete_episode(episode=episode)
    assert told() == []


def test_one_broken_organisation_does_not_silence_the_others(
    people: People, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = EpisodeFactory()
    create_endpoint(
        organization=other.organization,
        created_by=None,
        url="https://93.184.216.34/",
        events=[EventType.DOWNLOADS_MILESTONE],
    )
    endpoint_of(people)
    told()
    have(episode, 100)
    have(other, 100)
    from apps.downloads import milestones as room

    tell = room._tell

    def breaks_for_one(organization_id: Any, crossings: Any) -> None:
        if organization_id == people.organization.pk:
            raise RuntimeError("broken")
        tell(organization_id, crossings)

    monkeypatch.setattr(room, "_tell", breaks_for_one)
    assert told() == [("episode", 100), ("show", 100)]
    monkeypatch.undo()
    assert told() == [("episode", 100), ("show", 100)], "nothing was remembered of the failure"


def test_where_nobody_wants_to_know_the_job_reads_no_totals(
    episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    have(episode, 1_000)
    with django_assert_num_queries(2):  # who wants, and forgetting who did
        find_milestones()
    assert not Milestone.objects.exists()
