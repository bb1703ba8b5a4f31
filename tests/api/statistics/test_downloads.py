"""Downloads one by one: which are listed, in which order, and what is never told."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.downloads.models import Download
from podcasts.models import Episode
from tests.api.statistics.conftest import NOON, World
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory


def of_show(world: World, query: str = "") -> str:
    return f"/api/v1/shows/{world.show.pk}/downloads/{query}"


def of_episode(world: World, query: str = "") -> str:
    return f"/api/v1/episodes/{world.episodes[0].pk}/downloads/{query}"


def read(world: World, address: str) -> Any:
    answer = world.people.client("analyst").get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_downloads_are_listed_by_when_they_were_counted(world: World) -> None:
    rows = read(world, of_show(world))
    assert len(rows) == 12
    assert [row["counted_at"] for row in rows] == sorted(
        (row["counted_at"] for row in rows), reverse=True
    )
    assert {row["show"] for row in rows} == {str(world.show.pk)}
    own = read(world, of_episode(world))
    assert [row["id"] for row in own] == [
        row["id"] for row in rows if row["episode"] == str(world.episodes[0].pk)
    ]


def test_a_download_tells_nothing_of_who_it_was(world: World) -> None:
    [row] = read(world, of_show(world, "?app=Castro"))
    assert row == {
        "id": row["id"],
        "show": str(world.show.pk),
        "episode": str(world.episodes[0].pk),
        "first_at": "2026-10-05T12:00:00Z",
        "counted_at": "2026-10-05T12:00:00Z",
        "local_day": "2026-10-05",
        "day_utc": "2026-10-05",
        "app": "Castro",
        "category": "app",
        "device": "iPhone",
        "platform": "mobile",
        "country": "AT",
        "referrer": "",
        "is_first_of_listener": True,
        "is_provisional": False,
    }


def test_what_waits_for_review_is_not_listed(world: World) -> None:
    held = Download.objects.exclude(held_address=None).get()
    ids = {row["id"] for row in read(world, of_show(world))}
    assert held.pk not in ids
    assert len(ids) == 12


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?app=Overcast", 7),
        ("?app=overcast", 0),
        ("?device=iPhone&country=DE", 10),
        ("?country=AT", 1),
        ("?since=2026-10-14T12:00:00Z", 2),
        ("?since=2026-10-14T14:00:01%2B02:00", 0),
        ("?until=2026-10-01T00:00:00Z", 4),
        ("?since=2026-09-24T12:00:00Z&until=2026-10-13T12:00:00Z", 3),
    ],
)
def test_a_list_is_filtered(world: World, query: str, count: int) -> None:
    assert len(read(world, of_show(world, query))) == count


def test_a_shows_list_is_filtered_by_episode_and_an_episodes_is_not(world: World) -> None:
    oldest = world.episodes[2].pk
    assert len(read(world, of_show(world, f"?episode={oldest}"))) == 1
    assert read(world, of_show(world, f"?episode={world.elsewhere.pk}")) == []
    client = world.people.client("analyst")
    answer = client.get(of_episode(world, f"?episode={oldest}"))
    assert answer.json()["errors"][0]["code"] == "unknown_parameter"
    answer = client.get(of_show(world, "?since=lately"))
    assert answer.json()["errors"][0]["parameter"] == "since"


@pytest.mark.parametrize("ordering", ["counted_at", "-counted_at"])
def test_every_download_is_on_exactly_one_page_also_of_one_moment(
    world: World, ordering: str
) -> None:
    for _ in range(3):
        store_download(world.episodes[1], at=NOON)
    seen, address = [], of_show(world, f"?page_size=2&ordering={ordering}&fields=id")
    while address:
        body = world.people.client("analyst").get(address).json()
        seen += [row["id"] for row in body["results"]]
        address = body["next"]
    assert len(seen) == len(set(seen)) == 15


def test_a_download_outlives_its_episode(world: World) -> None:
    Episode.objects.filter(pk=world.episodes[2].pk).delete()
    rows = read(world, of_show(world))
    assert str(world.episodes[2].pk) in {row["episode"] for row in rows}


def test_lists_cost_the_same_queries_however_long(world: World) -> None:
    episode = EpisodeFactory(show__organization=world.people.organization)
    client = world.people.client("analyst")
    addresses = [
        f"/api/v1/shows/{episode.show_id}/downloads/?page_size=200",
        f"/api/v1/episodes/{episode.pk}/downloads/?page_size=200",
        f"/api/v1/shows/{episode.show_id}/statistics/episodes/?page_size=200",
        f"/api/v1/shows/{episode.show_id}/statistics/episodes/?page_size=200&ordering=all_time",
        f"/api/v1/shows/{episode.show_id}/statistics/downloads/",
        f"/api/v1/shows/{episode.show_id}/statistics/apps/",
        f"/api/v1/shows/{episode.show_id}/statistics/not-counted/",
        f"/api/v1/organizations/{world.people.organization.pk}/statistics/shows/",
    ]
    costs: list[list[int]] = []
    made = 1
    for count in (1, 20, 200):
        for number in range(made, count):
            EpisodeFactory(
                show=episode.show, audio=episode.audio, published_at=NOON - timedelta(days=number)
            )
        made = count
        _fill(episode, count)
        costs.append([_queries(client, address, count) for address in addresses])
    assert costs[0] == costs[1] == costs[2]
    assert costs[0][:2] == [4, 4]  # session, person, show or episode, downloads


def _fill(episode: Episode, count: int) -> None:
    """As many downloads, each by an app of its own."""
    there = Download.objects.filter(episode=episode).count()
    for number in range(there, count):
        store_download(episode, at=NOON - timedelta(minutes=number), app=f"App {number}")


def _queries(client: Any, address: str, count: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        body = client.get(address).json()
    if "/downloads/?" in address or "/episodes/?" in address:
        assert len(body["results"]) == count
    return len(queries)
