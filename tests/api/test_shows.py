"""Shows and episodes over HTTP: who sees which, page by page, with few queries."""

from django.test import Client

from tests.conftest import People
from tests.factories import EpisodeFactory, MembershipFactory, ShowFactory


def test_the_list_holds_the_living_shows_of_all_ones_organisations(people: People) -> None:
    ours = ShowFactory(organization=people.organization, title="Ours")
    ShowFactory(organization=people.organization, deleted_at="2026-01-01T00:00Z")
    ShowFactory(title="Theirs")
    other = ShowFactory(title="Also ours")
    MembershipFactory(organization=other.organization, user=people.analyst, role="analyst")
    body = people.client("analyst").get("/api/v1/shows/").json()
    assert [show["title"] for show in body["results"]] == ["Also ours", "Ours"]
    shown = body["results"][1]
    assert shown["feed_url"].endswith(f"/feeds/{ours.handle}.xml")
    assert shown["artwork_url"].endswith("/feed.jpg")
    assert shown["time_zone"] == "UTC"


def test_every_show_and_episode_is_on_exactly_one_page(people: People) -> None:
    show = ShowFactory(organization=people.organization)
    episodes = [EpisodeFactory(show=show) for _ in range(5)]
    client, seen = people.client("analyst"), []
    address = f"/api/v1/shows/{show.id}/episodes/?page_size=2"
    while address:
        body = client.get(address).json()
        assert len(body["results"]) <= 2
        seen += [episode["id"] for episode in body["results"]]
        address = body["next"]
    assert seen == [str(episode.id) for episode in reversed(episodes)]


def test_an_episode_says_what_its_feed_says(people: People) -> None:
    episode = EpisodeFactory(show__organization=people.organization)
    body = people.client("analyst").get(f"/api/v1/episodes/{episode.id}/").json()
    assert body["guid"] == episode.guid
    assert body["enclosure"]["size_bytes"] == 29_000_000
    assert body["enclosure"]["url"].endswith(f"/media/{episode.id}/{episode.slug}.mp3")
    draft = EpisodeFactory(show=episode.show, audio=None, status="draft", published_at=None)
    body = people.client("analyst").get(f"/api/v1/episodes/{draft.id}/").json()
    assert body["enclosure"] is None


def test_strangers_find_nothing_and_the_signed_out_are_told_so(people: People) -> None:
    episode = EpisodeFactory(show__organization=people.organization)
    show = episode.show
    paths = [
        f"/api/v1/shows/{show.id}/",
        f"/api/v1/shows/{show.id}/episodes/",
        f"/api/v1/episodes/{episode.id}/",
    ]
    seen = {"anonymous": 401, "stranger": 404, "staff": 404, "analyst": 200}
    for path in paths:
        for name, status in seen.items():
            response = people.client(name).get(path)
            assert response.status_code == status, (path, name)
            if status == 404:
                assert response.json()["code"] == "not_found"
    assert people.client("stranger").get("/api/v1/shows/").json()["results"] == []
    response = Client().get("/api/v1/shows/")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_what_was_deleted_is_gone(people: People) -> None:
    episode = EpisodeFactory(show__organization=people.organization, deleted_at="2026-01-01T00:00Z")
    client = people.client("owner")
    assert client.get(f"/api/v1/episodes/{episode.id}/").status_code == 404
    assert client.get(f"/api/v1/shows/{episode.show_id}/episodes/").json()["results"] == []


def test_the_schema_describes_every_route_to_anybody(db: None) -> None:
    response = Client().get("/api/v1/schema/")
    assert response.status_code == 200
    paths = response.json()["paths"]
    assert "/api/v1/uploads/{upload_id}/part-urls/" in paths
    assert "/api/v1/episodes/{episode_id}/audio/" in paths


def test_what_the_api_does_not_do_is_refused_as_a_problem(people: People) -> None:
    client = people.client("editor")
    response = client.put("/api/v1/shows/", {}, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    response = client.post("/api/v1/uploads/", "{", content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")
    response = client.post("/api/v1/uploads/", "a=b", content_type="text/plain")
    assert (response.status_code, response.json()["type"]) == (415, "about:blank")
