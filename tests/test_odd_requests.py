"""Requests that no browser makes are refused as such: none is an error of ours."""

import pytest

from apps.media import images
from apps.media.refusals import PreparationError
from hosting.data_plane import DataPlane
from tests.asgi import call
from tests.conftest import People
from tests.factories import ShowFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


@pytest.mark.parametrize(
    "path",
    ["/shows/a%00b/", "/shows/a%00b/c/", "/shows/%F0%9F%8E%99/", "/invitations/%00/"],
)
def test_addresses_with_odd_characters_are_not_found(people: People, path: str) -> None:
    assert people.client("anonymous").get(path).status_code == 404


@pytest.mark.parametrize("handle", ["a\x00b", "UPPER", "-a", "a" * 300])
def test_feeds_that_no_show_can_have_are_not_found(handle: str) -> None:
    assert call(DataPlane(), "GET", f"/feeds/{handle}.xml").status == 404


@pytest.mark.parametrize("query", ["q=%00", "q=a%00b", "page=%00", "page=" + "9" * 5000])
def test_odd_queries_find_what_is_there(people: People, query: str) -> None:
    show = ShowFactory(organization=people.organization)
    answer = people.client("analyst").get(f"/studio/shows/{show.id}/episodes/?{query}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "query", ["cursor=%00", "cursor=eA==", "cursor=cD1hJTAwYg==", "page_size=-1"]
)
def test_odd_cursors_are_no_error_of_ours(people: People, query: str) -> None:
    assert people.client("analyst").get(f"/api/v1/shows/?{query}").status_code in {200, 400, 404}


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "\x00"])
def test_json_beyond_all_sense_is_refused(people: People, body: str) -> None:
    answer = people.client("editor").post("/api/v1/uploads/", body, content_type="application/json")
    assert answer.status_code == 400


def test_pictures_wait_for_a_place_and_say_so_when_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "_PATIENCE_SECONDS", 0.01)
    taken = [images._SLOTS.acquire() for _ in range(2)]
    try:
        with pytest.raises(PreparationError, match="Try again"):
            images.prepare_image(b"x")
    finally:
        for _ in taken:
            images._SLOTS.release()
