"""The pages as a whole: empty ones, parts of them, and what they cost."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html

from podcasts.models import Episode
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory, ShowFactory
from tests.frontend.statistics.reading import NOON, of_episode, of_show, read, texts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


def test_a_show_without_downloads_is_told_what_to_do(people: People, episode: Episode) -> None:
    tree = read(people.client("editor"), of_show(episode))
    assert "No downloads yet" in texts(tree, "//h2")
    assert tree.xpath(f"//section//a[@href='/studio/shows/{episode.show_id}/']")
    empty_show = ShowFactory(organization=people.organization)
    assert read(people.client("editor"), f"/studio/shows/{empty_show.pk}/statistics/") is not None
    draft = EpisodeFactory(show=empty_show, status="draft", published_at=None)
    unpublished = read(people.client("editor"), of_episode(draft))
    assert "isn’t published yet" in unpublished.text_content()


@pytest.mark.parametrize(
    ("part", "marker"),
    [("hours", "hours-title"), ("compare", "compare-title"), ("episodes", "episodes-title")],
)
def test_htmx_gets_only_the_part_that_it_replaces(
    people: People, episode: Episode, part: str, marker: str
) -> None:
    answer = people.client("owner").get(
        of_show(episode), headers={"HX-Request": "true", "HX-Target": part}
    )
    tree = html.fromstring(answer.content.decode())
    assert tree.get("id") == part
    assert tree.get("aria-labelledby") == marker
    assert {"HX-Request", "HX-Target"} <= set(answer.headers["Vary"].split(", "))


@pytest.mark.parametrize("page", ["", "not-counted/"])
def test_htmx_gets_the_period_without_the_frame(
    people: People, episode: Episode, page: str
) -> None:
    answer = people.client("owner").get(
        of_show(episode, f"{page}?period=7"),
        headers={"HX-Request": "true", "HX-Target": "statistics"},
    )
    tree = html.fromstring(answer.content.decode())
    assert tree.get("id") == "statistics"
    assert texts(tree, "//nav[@aria-label='Period']/a[@aria-current]") == ["7 days"]


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("sort", ["", "-total", "-first7"])
def test_more_episodes_cost_no_more_queries(people: People, episode: Episode, sort: str) -> None:
    client = people.client("owner")
    store_download(episode, at=NOON)
    pages = [
        of_show(episode, f"?sort={sort}"),
        of_show(episode, "not-counted/"),
        of_episode(episode),
    ]
    of_one = [queries(client, page) for page in pages]

    for number in range(19):
        made = EpisodeFactory(show=episode.show, published_at=NOON - timedelta(days=20 + number))
        store_download(made, at=NOON - timedelta(days=number))

    assert [queries(client, page) for page in pages] == of_one
