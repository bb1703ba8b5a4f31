"""The page of what was deleted."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import now
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory

pytestmark = pytest.mark.usefixtures("clean_valkey")


def test_the_trash_shows_what_was_deleted_latest_first(people: People) -> None:
    show = ShowFactory(organization=people.organization, title="Living")
    EpisodeFactory(show=show, title="Lost episode", deleted_at=now() - timedelta(days=1))
    gone = ShowFactory(organization=people.organization, title="Lost show", deleted_at=now())
    EpisodeFactory(show=gone, title="Inside the lost show", deleted_at=now())
    ShowFactory(title="Foreign show", deleted_at=now())
    page = people.client("analyst").get("/studio/trash/").content.decode()
    assert page.index("Lost show") < page.index("Lost episode")
    assert "Episode of Living" in page
    assert "Inside the lost show" not in page  # it comes back with its show
    assert "Foreign show" not in page


@pytest.mark.parametrize(
    ("name", "restores"),
    [("analyst", set()), ("editor", {"episode"}), ("admin", {"episode", "show"})],
)
def test_a_role_restores_what_it_may_delete(name: str, restores: set[str], people: People) -> None:
    show = ShowFactory(organization=people.organization, deleted_at=now())
    episode = EpisodeFactory(show__organization=people.organization, deleted_at=now())
    page = people.client(name).get("/studio/trash/").content.decode()
    addresses = {
        "show": f"/studio/shows/{show.pk}/restore/",
        "episode": f"/studio/episodes/{episode.pk}/restore/",
    }
    assert {kind for kind, address in addresses.items() if address in page} == restores


def test_an_empty_trash_says_so(people: People) -> None:
    assert "The trash is empty" in people.client("analyst").get("/studio/trash/").content.decode()


def test_the_trash_reads_as_much_for_twenty_rows_as_for_one_and_has_pages(people: People) -> None:
    client, counts = people.client("owner"), []
    for more in (1, 19, 10):
        for _ in range(more):
            EpisodeFactory(show__organization=people.organization, deleted_at=now())
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/studio/trash/").content.decode()
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert page.count("table__title") == 25
