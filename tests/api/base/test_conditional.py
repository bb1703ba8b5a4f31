"""Entity tags: what is known is not sent again, and nobody's change is lost."""

import pytest

from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory


@pytest.fixture
def episode(people: People, clean_valkey: None) -> Episode:
    found: Episode = EpisodeFactory(show__organization=people.organization, title="First")
    return found


def address(episode: Episode) -> str:
    return f"/api/v1/episodes/{episode.id}/"


def test_what_is_known_is_not_sent_again(people: People, episode: Episode) -> None:
    client = people.client("editor")
    tag = client.get(address(episode))["ETag"]
    again = client.get(address(episode), headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert again["Cache-Control"] == "private, no-cache"  # set behind the view
    assert "RateLimit" in again
    Episode.objects.update(title="Second")
    assert client.get(address(episode), headers={"If-None-Match": tag}).status_code == 200


def test_lists_have_tags_as_well(people: People, episode: Episode) -> None:
    client, path = people.client("editor"), f"/api/v1/shows/{episode.show_id}/episodes/"
    tag = client.get(path)["ETag"]
    assert client.get(path, headers={"If-None-Match": f'"other", {tag}'}).status_code == 304


def test_a_change_answers_with_the_tag_of_what_is_there_now(
    people: People, episode: Episode
) -> None:
    client = people.client("editor")
    changed = client.patch(address(episode), {"title": "Second"}, content_type="application/json")
    assert changed["ETag"] == client.get(address(episode))["ETag"]


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_change_of_what_has_changed_meanwhile_is_refused(
    method: str, people: People, episode: Episode
) -> None:
    client = people.client("editor")
    seen = client.get(address(episode))["ETag"]
    others = client.patch(address(episode), {"title": "Theirs"}, content_type="application/json")
    send = getattr(client, method)
    options = {"data": {"title": "Mine"}, "content_type": "application/json"}
    lost = send(address(episode), headers={"If-Match": seen}, **options)
    assert (lost.status_code, lost.json()["code"]) == (412, "changed_meanwhile")
    episode.refresh_from_db()
    assert (episode.title, episode.deleted_at) == ("Theirs", None)
    fresh = send(address(episode), headers={"If-Match": others["ETag"]}, **options)
    assert fresh.status_code in {200, 204}


@pytest.mark.parametrize("tag", ["*", '"one", {tag}', "{tag}"])
def test_a_tag_that_holds_lets_the_change_through(
    tag: str, people: People, episode: Episode
) -> None:
    client = people.client("editor")
    seen = client.get(address(episode))["ETag"]
    response = client.patch(
        address(episode),
        {"title": "Mine"},
        content_type="application/json",
        headers={"If-Match": tag.format(tag=seen)},
    )
    assert response.status_code == 200


def test_weak_tags_never_match(people: People, episode: Episode) -> None:
    client = people.client("editor")
    weak = "W/" + client.get(address(episode))["ETag"]
    headers = {"If-Match": weak}
    assert client.delete(address(episode), headers=headers).status_code == 412
    assert client.get(address(episode), headers={"If-None-Match": weak}).status_code == 304
