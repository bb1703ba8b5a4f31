"""The trash of an organisation over HTTP."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.conf import settings

from apps.accounts.roles import Role
from apps.core.clock import now
from podcasts.models import Show
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory
from tests.programs import program, token_of_organization

pytestmark = pytest.mark.usefixtures("clean_valkey")


def path(people: People, query: str = "") -> str:
    return f"/api/v1/organizations/{people.organization.id}/trash/{query}"


def ago(minutes: int) -> datetime:
    return now() - timedelta(minutes=minutes)


@pytest.fixture
def show(people: People) -> Show:
    """A living one, with three episodes and three other shows in the trash."""
    living: Show = ShowFactory(organization=people.organization, title="Living")
    EpisodeFactory(show=living)
    for number in (1, 3, 5):
        EpisodeFactory(show=living, title=f"Episode {number}", deleted_at=ago(number))
    for number in (2, 4, 6):
        gone = ShowFactory(
            organization=people.organization, title=f"Show {number}", deleted_at=ago(number)
        )
        EpisodeFactory(show=gone)
        EpisodeFactory(show=gone, deleted_at=ago(number))
    EpisodeFactory(deleted_at=ago(1))  # of somebody else
    return living


ALL = ["Episode 1", "Show 2", "Episode 3", "Show 4", "Episode 5", "Show 6"]


def titles(body: Any) -> list[str]:
    return [row["title"] for row in body["results"]]


def test_what_was_deleted_last_is_first_shows_among_episodes(people: People, show: Show) -> None:
    body = people.client("analyst").get(path(people)).json()
    assert titles(body) == ALL
    episode, other = body["results"][:2]
    assert episode["show"] == {"id": str(show.id), "handle": show.handle, "title": "Living"}
    assert (episode["kind"], other["kind"], other["show"]) == ("episode", "show", None)
    deleted, purged = (
        datetime.fromisoformat(episode[name]) for name in ("deleted_at", "purged_at")
    )
    assert purged - deleted == settings.TRASH_LIFETIME


@pytest.mark.parametrize("size", [1, 2, 4, 5, 6])
@pytest.mark.parametrize("ordering", ["-deleted_at", "deleted_at"])
def test_pages_lead_through_all_of_it_and_back(
    people: People, show: Show, size: int, ordering: str
) -> None:
    client, pages = people.client("analyst"), []
    address = path(people, f"?page_size={size}&ordering={ordering}")
    while address:
        pages.append(client.get(address).json())
        address = pages[-1]["next"]
    found = [title for page in pages for title in titles(page)]
    assert found == (ALL if ordering.startswith("-") else ALL[::-1])
    for earlier, later in pairwise(pages):
        assert titles(client.get(later["previous"]).json()) == titles(earlier)


def test_rows_of_the_same_moment_are_each_on_one_page(people: People) -> None:
    at, shows = ago(1), [ShowFactory(organization=people.organization) for _ in range(2)]
    for living in shows:
        EpisodeFactory.create_batch(2, show=living, deleted_at=at)
    ShowFactory.create_batch(2, organization=people.organization, deleted_at=at)
    client, seen, address = people.client("analyst"), [], path(people, "?page_size=1")
    while address:
        body = client.get(address).json()
        seen += [row["id"] for row in body["results"]]
        address = body["next"]
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(("kind", "first"), [("show", "Show 2"), ("episode", "Episode 1")])
def test_one_kind_alone_is_listed_with_the_fields_asked_for(
    people: People, show: Show, kind: str, first: str
) -> None:
    query = f"?kind={kind}&fields=title,show.title"
    body = people.client("analyst").get(path(people, query)).json()
    assert body["results"][0] == {
        "title": first,
        "show": {"title": "Living"} if kind == "episode" else None,
    }


@pytest.mark.parametrize(
    "query", ["?kind=season", "?fields=nothing", "?ordering=title", "?cursor=x", "?sort=title"]
)
def test_a_list_of_nonsense_is_refused(people: People, query: str) -> None:
    answer = people.client("analyst").get(path(people, query))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_tokens_and_strangers_see_what_their_role_lets_them(people: People, show: Show) -> None:
    machine = program(token_of_organization(people.organization, Role.ANALYST)[1])
    assert titles(machine.get(path(people)).json()) == ALL
    confined = program(token_of_organization(people.organization, show_id=show.id)[1])
    assert confined.get(path(people)).status_code == 404
    assert people.client("stranger").get(path(people)).status_code == 404
