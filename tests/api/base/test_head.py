"""HEAD is GET without a body (RFC 9110, 9.3.2), whatever stands behind the question mark."""

import pytest

from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory


@pytest.fixture
def episode(people: People, clean_valkey: None) -> Episode:
    found: Episode = EpisodeFactory(show__organization=people.organization)
    EpisodeFactory(show=found.show)
    return found


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("shows/{show}/", 200),
        ("shows/{show}/?fields=id,title", 200),
        ("shows/{show}/?fields=nothing", 400),
        ("shows/{show}/?page_size=1", 400),
        ("shows/{show}/episodes/?page_size=1", 200),
        ("shows/{show}/episodes/?page_size=0", 400),
        ("shows/{show}/episodes/?status=draft", 200),
        ("shows/{show}/episodes/?fields=id&ordering=title", 200),
        ("shows/{show}/statistics/downloads/?grain=week", 200),
    ],
)
def test_head_says_what_get_says(
    address: str, status: int, people: People, episode: Episode
) -> None:
    client, path = people.client("analyst"), f"/api/v1/{address.format(show=episode.show_id)}"
    got, head = client.get(path), client.head(path)
    assert (got.status_code, head.status_code, head.content) == (status, status, b"")
    for name in ("ETag", "Content-Type", "Content-Length"):
        assert head.headers.get(name) == got.headers.get(name), name
    if status == 200:
        again = client.head(path, headers={"If-None-Match": got["ETag"]})
        assert again.status_code == 304
