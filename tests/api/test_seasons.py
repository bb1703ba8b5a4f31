"""Seasons over HTTP: which there are, which number comes next, a season in a new order."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.core.clock import now
from podcasts.models import Episode, Show
from podcasts.services.numbering import OrderRefusedError, reorder_season
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory, ShowFactory


@pytest.fixture
def show(people: People) -> Show:
    """A show of ours."""
    return ShowFactory(organization=people.organization)


def seasons(people: People, show: Show) -> Any:
    """What an analyst is told."""
    return people.client("analyst").get(f"/api/v1/shows/{show.pk}/seasons/").json()


def reorder(people: People, show: Show, season: int | None, *episodes: Any) -> Any:
    """What the editor is answered."""
    return people.client("editor").post(
        f"/api/v1/shows/{show.pk}/episodes/reorder/",
        {"season_number": season, "episodes": [str(getattr(e, "pk", e)) for e in episodes]},
        content_type="application/json",
    )


def numbers(*episodes: Episode) -> list[int | None]:
    """As they are stored."""
    stored = Episode.objects.in_bulk([episode.pk for episode in episodes])
    return [stored[episode.pk].episode_number for episode in episodes]


def test_a_show_without_numbers_suggests_none_unless_it_is_serial(
    people: People, show: Show
) -> None:
    assert seasons(people, show) == {
        "seasons": [],
        "suggested": {"season_number": None, "episode_number": None},
    }
    Show.objects.filter(pk=show.pk).update(type="serial")
    assert seasons(people, show)["suggested"] == {"season_number": None, "episode_number": 1}


def test_each_season_says_how_many_it_has_and_which_number_is_next(
    people: People, show: Show
) -> None:
    for season, number in [(1, 1), (1, 8), (2, 1), (None, None)]:
        EpisodeFactory(show=show, season_number=season, episode_number=number)
    EpisodeFactory(show=show, season_number=3, episode_number=9, deleted_at=now())
    EpisodeFactory(season_number=4, episode_number=9)
    assert seasons(people, show) == {
        "seasons": [
            {"season_number": None, "episode_count": 1, "next_episode_number": 1},
            {"season_number": 1, "episode_count": 2, "next_episode_number": 9},
            {"season_number": 2, "episode_count": 1, "next_episode_number": 2},
        ],
        "suggested": {"season_number": 2, "episode_number": 2},
    }


def test_a_season_is_numbered_in_the_order_in_which_it_is_named(
    people: People, show: Show, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    one, two, three = (
        EpisodeFactory(show=show, season_number=2, episode_number=number) for number in (1, 2, 3)
    )
    new = EpisodeFactory(show=show, season_number=2)
    elsewhere = EpisodeFactory(show=show, season_number=1, episode_number=1)
    bonus = EpisodeFactory(show=show, season_number=2, episode_number=2, type="bonus")
    with django_capture_on_commit_callbacks(execute=True):
        response = reorder(people, show, 2, three, new, one, two)
    assert response.status_code == 200
    assert response.json() == {
        "season_number": 2,
        "episodes": [
            {"id": str(episode.pk), "episode_number": number}
            for number, episode in enumerate([three, new, one, two], start=1)
        ],
    }
    assert numbers(three, new, one, two, elsewhere, bonus) == [1, 2, 3, 4, 1, 2]
    assert b"<itunes:episode>4</itunes:episode>" in bytes(
        Show.objects.get(pk=show.pk).feed_document.xml
    )


def test_episodes_without_a_number_may_be_left_out(people: People, show: Show) -> None:
    one, idea = EpisodeFactory(show=show, episode_number=5), EpisodeFactory(show=show)
    assert reorder(people, show, None, one).status_code == 200
    assert numbers(one, idea) == [1, None]


def test_an_order_that_is_wrong_is_refused_with_all_that_is_wrong(
    people: People, show: Show
) -> None:
    one, two = (EpisodeFactory(show=show, season_number=1, episode_number=n) for n in (1, 2))
    other = EpisodeFactory(show=show, season_number=2, episode_number=1)
    bonus = EpisodeFactory(show=show, season_number=1, type="bonus")
    deleted = EpisodeFactory(show=show, season_number=1, deleted_at=now())
    foreign = EpisodeFactory(season_number=1)
    response = reorder(people, show, 1, one, one, other, bonus, deleted, foreign, UUID(int=3))
    assert response.status_code == 400
    assert [(e["pointer"], e["code"]) for e in response.json()["errors"]] == [
        ("#/episodes/1", "duplicate"),
        ("#/episodes/2", "other_season"),
        ("#/episodes/3", "not_full"),
        ("#/episodes/4", "not_found"),
        ("#/episodes/5", "not_found"),
        ("#/episodes/6", "not_found"),
        ("#/episodes", "missing"),
    ]
    assert str(two.pk) in response.json()["errors"][-1]["detail"]
    assert numbers(one, two, other, bonus) == [1, 2, 1, None]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"season_number": 1, "episodes": []},
        {"episodes": [str(UUID(int=1))]},
        {"season_number": 0, "episodes": [str(UUID(int=1))]},
        {"season_number": 2**40, "episodes": [str(UUID(int=1))]},
        {"season_number": 1, "episodes": ["first"]},
        {"season_number": 1, "episodes": [str(UUID(int=1))] * 5001},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    body: dict[str, Any], people: People, show: Show
) -> None:
    response = people.client("editor").post(
        f"/api/v1/shows/{show.pk}/episodes/reorder/", body, content_type="application/json"
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_only_editors_reorder_and_strangers_find_no_seasons(people: People, show: Show) -> None:
    episode = EpisodeFactory(show=show, episode_number=3)
    expected = {"stranger": (404, 404), "staff": (404, 404), "analyst": (200, 403)}
    for name, statuses in expected.items():
        client = people.client(name)
        body = {"season_number": None, "episodes": [str(episode.pk)]}
        address = f"/api/v1/shows/{show.pk}/"
        asked = client.get(f"{address}seasons/")
        posted = client.post(f"{address}episodes/reorder/", body, content_type="application/json")
        assert (asked.status_code, posted.status_code) == statuses, name
    assert numbers(episode) == [3]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 20, 200])
def test_an_order_is_stored_with_few_queries_however_long(
    count: int, django_assert_max_num_queries: Any
) -> None:
    show = ShowFactory()
    audio = AssetFactory(organization=show.organization)
    episodes = [EpisodeFactory(show=show, audio=audio) for _ in range(count)]
    with django_assert_max_num_queries(6):  # a savepoint, read, written, noted, told, its end
        ordered = reorder_season(
            show=show, season_number=None, episode_ids=[e.pk for e in reversed(episodes)]
        )
    assert [episode.episode_number for episode in ordered] == list(range(1, count + 1))


@pytest.mark.django_db
def test_any_order_of_a_season_is_taken_and_any_gap_refused(people: People) -> None:
    """A law: a permutation of all numbered episodes becomes 1..n; anything less is refused."""
    show = ShowFactory(organization=people.organization)
    audio = AssetFactory(organization=people.organization)
    ids = [EpisodeFactory(show=show, audio=audio, episode_number=n).pk for n in range(1, 6)]

    def stored() -> list[int | None]:
        rows = Episode.objects.in_bulk(ids)
        return [rows[pk].episode_number for pk in ids]

    @settings(deadline=None, max_examples=25)
    @given(st.permutations(ids), st.integers(min_value=0, max_value=5))
    def law(order: list[UUID], kept: int) -> None:
        before = stored()
        if kept < len(ids):
            with pytest.raises(OrderRefusedError) as refused:
                reorder_season(show=show, season_number=None, episode_ids=order[:kept])
            assert [wrong.code for wrong in refused.value.misplaced] == ["missing"] * (5 - kept)
            assert stored() == before
        reorder_season(show=show, season_number=None, episode_ids=order)
        assert stored() == [order.index(pk) + 1 for pk in ids]

    law()
