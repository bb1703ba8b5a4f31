"""Episodes beside each other: their first days, and their curves."""

from datetime import timedelta

import pytest

from podcasts.models import Episode
from tests.conftest import People
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory
from tests.frontend.statistics.reading import (
    NOON,
    card,
    of_episode,
    of_show,
    read,
    rows_of,
    texts,
    words,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey", "noon")]


def test_the_table_of_first_days_is_sorted_and_what_is_not_over_comes_last(
    people: People, episode: Episode
) -> None:
    for title, days_ago, count in (("The first", 9, 1), ("A second", 8, 2), ("Fresh", 1, 3)):
        at = NOON - timedelta(days=days_ago)
        made = (
            episode
            if title == episode.title
            else EpisodeFactory(show=episode.show, title=title, published_at=at)
        )
        for _ in range(count):
            store_download(made, at=at + timedelta(hours=2))
    client = people.client("analyst")

    def titles(sort: str) -> list[str]:
        tree = read(client, of_show(episode, f"?sort={sort}"))
        return texts(card(tree, "episodes"), ".//tbody//a")

    assert titles("") == ["Fresh", "A second", "The first"]
    assert titles("published") == ["The first", "A second", "Fresh"]
    assert titles("title") == ["A second", "Fresh", "The first"]
    assert titles("-total") == ["Fresh", "A second", "The first"]
    assert titles("-first1") == ["Fresh", "A second", "The first"]
    assert titles("-first3") == ["A second", "The first", "Fresh"]
    assert titles("-first7") == ["A second", "The first", "Fresh"]
    assert titles("first7") == ["The first", "A second", "Fresh"]
    table = card(read(client, of_show(episode, "?sort=-first7")), "episodes")
    assert texts(table, ".//tbody/tr[1]/td")[2:] == ["2", "2", "2", "—", "—", "2"]
    assert texts(table, ".//tbody/tr[3]/td")[2:] == ["3", "—", "—", "—", "—", "3"]
    assert texts(table, ".//th[@aria-sort]") == ["7 days"]
    exported = rows_of(client, of_show(episode, "episodes.csv"))
    assert list(exported[0])[3:] == [*(f"first_{n}_days" for n in (1, 3, 7, 30, 90)), "all_time"]
    assert [list(row.values())[3:] for row in exported] == [
        ["3", "", "", "", "", "3"],
        ["2", "2", "2", "", "", "2"],
        ["1", "1", "1", "", "", "1"],
    ]


def test_episodes_are_compared_from_the_hour_of_their_publication(
    people: People, episode: Episode
) -> None:
    others = EpisodeFactory.create_batch(9, show=episode.show)
    store_download(episode, at=NOON - timedelta(days=9) + timedelta(hours=1, minutes=10))
    wanted = "&".join(f"compare={made.pk}" for made in [episode, *others])
    client = people.client("owner")

    few = rows_of(client, of_show(episode, f"compare.csv?compare={episode.pk}&days=2"))
    many = rows_of(client, of_show(episode, f"compare.csv?{wanted}"))
    page = card(read(client, of_show(episode, f"?{wanted}")), "compare")

    assert [row[str(episode.pk)] for row in few[:3]] == ["0", "1", "1"]
    assert (len(few), len(many)) == (48, 168)
    assert len(many[0]) == 1 + 8  # the hours, and no more curves than can be told apart
    assert len(page.xpath(".//input[@checked]")) == 8
    assert len(page.xpath(".//input[@disabled]")) == 2


def test_a_search_finds_episodes_to_compare(people: People, episode: Episode) -> None:
    others = EpisodeFactory.create_batch(
        4, show=episode.show, published_at=NOON - timedelta(days=1)
    )

    page = read(
        people.client("owner"),
        of_show(episode, f"?q=FIRST&compare={others[0].pk}&compare={others[1].pk}"),
        **{"HX-Request": "true", "HX-Target": "compare"},
    )

    labels = texts(page, "//label[input[@name='compare']]//*[contains(@class, 'truncate')]")
    assert labels[-1] == "The first"
    assert len(labels) == 2 + 1  # the chosen ones stay


def test_the_newest_episode_is_compared_with_whole_curves(people: People, episode: Episode) -> None:
    for title, days_ago in (("Now", 0), ("Too new", 5), ("Whole", 20)):
        EpisodeFactory(show=episode.show, title=title, published_at=NOON - timedelta(days=days_ago))

    tree = read(people.client("analyst"), of_show(episode, "?days=7"))

    checked = "//label[input[@checked]]//*[contains(@class, 'truncate')]"
    assert texts(tree, checked) == ["Now", "The first", "Whole"]


def test_an_episodes_page_compares_it_with_those_before(people: People, episode: Episode) -> None:
    before = EpisodeFactory(
        show=episode.show, title="Before", published_at=NOON - timedelta(days=20)
    )
    EpisodeFactory(show=episode.show, title="Later", published_at=NOON - timedelta(days=2))
    store_download(episode, at=NOON - timedelta(days=1))
    store_download(before, at=NOON - timedelta(days=1))

    tree = read(people.client("analyst"), of_episode(episode))

    checked = "//label[input[@checked]]//*[contains(@class, 'truncate')]"
    assert texts(tree, checked) == ["The first", "Before"]
    assert sum(1 for said in words(card(tree, "downloads")) if "1 download" in said) == 1
    assert tree.xpath("//section[@aria-labelledby='listeners-title']") == []
