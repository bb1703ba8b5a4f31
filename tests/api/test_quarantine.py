"""What waits for review, and its release, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.clock import now
from apps.downloads.models import Download
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.live.making import download
from tests.programs import ask, program, token_of_person

pytestmark = pytest.mark.usefixtures("clean_valkey")
LIST = "/api/v1/platform/quarantine/"
RELEASE = f"{LIST}release/"


@pytest.fixture
def episode(people: People) -> Episode:
    found: Episode = EpisodeFactory(show__organization=people.organization, show__title="Signals")
    return found


def hold(episode: Episode, number: int = 1, **fields: Any) -> Download:
    """A download of the address with this number, waiting."""
    return download(episode, held_address=bytes([number]) * 16, **fields)


def wish(episode: Episode, number: int = 1) -> dict[str, str]:
    return {
        "organization": str(episode.organization_id),
        "day": str(now().date()),
        "address_key": (bytes([number]) * 16).hex(),
    }


def counted() -> int:
    return Download.objects.filter(held_address=None).count()


def test_what_waits_is_listed_with_names(people: People, episode: Episode) -> None:
    for app in ("Overcast", "Castro"):
        hold(episode, app=app)
    [row] = people.client("staff").get(LIST).json()["results"]
    assert row == {
        "organization": {"id": str(episode.organization_id), "name": "Radio Ours"},
        "shows": [{"id": str(episode.show_id), "name": "Signals"}],
        "downloads": 2,
        "apps": 2,
        **{name: value for name, value in wish(episode).items() if name != "organization"},
    }


def test_pages_hold_each_row_once_the_latest_days_first(people: People, episode: Episode) -> None:
    other = EpisodeFactory()
    for days_ago in (2, 0, 1):
        for number in (1, 2):
            hold(episode, number, at=now() - timedelta(days=days_ago))
            hold(other, number, at=now() - timedelta(days=days_ago))
    client, seen, address = people.client("staff"), [], f"{LIST}?page_size=5"
    while address:
        body = client.get(address).json()
        seen += [
            (row["day"], row["organization"]["id"], row["address_key"]) for row in body["results"]
        ]
        address = body["next"]
    assert len(seen) == len(set(seen)) == 12
    days = [day for day, _, _ in seen]
    assert days == sorted(days, reverse=True)


def test_links_lead_to_the_installation_whatever_host_was_asked_for(
    people: People, episode: Episode, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["elsewhere.example"]
    for number in (1, 2):
        hold(episode, number)
    answer = people.client("staff").get(
        f"{LIST}?page_size=1", headers={"Host": "elsewhere.example"}
    )
    assert answer.json()["next"].startswith(f"{settings.BASE_URL}{LIST}?")


@pytest.mark.parametrize("query", ["cursor=x", "cursor=W10=", "page_size=0", "kind=all"])
def test_a_list_of_nonsense_is_refused(people: People, query: str) -> None:
    assert ask(people.client("staff"), f"{LIST}?{query}") == (400, "invalid")


def test_a_release_counts_that_address_alone(people: People, episode: Episode) -> None:
    for number in (1, 1, 2):
        hold(episode, number)
    client = people.client("staff")
    for released in (2, 0):  # nothing waits any more
        answer = client.post(RELEASE, wish(episode), content_type="application/json")
        assert (answer.status_code, answer.json()) == (200, {"released": released})
        assert counted() == 2


@pytest.mark.parametrize(
    "spoiled",
    [
        {"address_key": "zz"},
        {"address_key": "ab"},
        {"address_key": "ab" * 17},
        {"day": "soon"},
        {"organization": "1 OR 1"},
    ],
)
def test_nonsense_releases_nothing(
    people: People, episode: Episode, spoiled: dict[str, str]
) -> None:
    hold(episode)
    answer = ask(people.client("staff"), RELEASE, "post", wish(episode) | spoiled)
    assert answer == (400, "invalid")
    assert counted() == 0


def test_only_staff_in_person_releases(people: People, episode: Episode) -> None:
    hold(episode)
    machine = program(token_of_person(people.staff)[1])
    for client in (people.client("owner"), people.client("stranger"), machine):
        assert ask(client, RELEASE, "post", wish(episode)) == (404, "not_found")
        assert ask(client, LIST) == (404, "not_found")
    assert ask(people.client("anonymous"), RELEASE, "post", wish(episode))[0] == 401
    assert counted() == 0
