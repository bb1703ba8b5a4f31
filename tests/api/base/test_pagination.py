"""Pages of a list: every row on exactly one, forwards and backwards, whatever happens meanwhile."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core.clock import now
from podcasts.models import Show
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory


@pytest.fixture
def show(people: People) -> Show:
    """Seven episodes: three of the same moment, two of the same title, two without a date."""
    show: Show = ShowFactory(organization=people.organization)
    moment = now() - timedelta(days=9)
    for title, published_at in [
        ("b", moment),
        ("a", moment),
        ("c", moment),
        ("a", moment + timedelta(days=1)),
        ("d", moment - timedelta(days=1)),
    ]:
        EpisodeFactory(show=show, title=title, published_at=published_at)
    for title in ("f", "e"):
        EpisodeFactory(show=show, title=title, status="draft", published_at=None)
    return show


def ids(body: dict[str, Any]) -> list[str]:
    return [row["id"] for row in body["results"]]


def walk(client: Client, address: str, link: str = "next") -> list[dict[str, Any]]:
    pages = []
    while address:
        body = client.get(address).json()
        assert "results" in body, body
        pages.append(body)
        address = body[link]
        assert len(pages) < 20
    return pages


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("ordering", ["title", "-title", "published_at", "-published_at"])
def test_every_row_is_on_exactly_one_page_in_order(
    size: int, ordering: str, people: People, show: Show
) -> None:
    client = people.client("analyst")
    address = f"/api/v1/shows/{show.id}/episodes/?ordering={ordering}"
    whole = ids(client.get(address).json())
    assert len(whole) == 7
    pages = walk(client, f"{address}&page_size={size}")
    assert [row for page in pages for row in ids(page)] == whole
    assert pages[0]["previous"] is None
    back = walk(client, pages[-1]["previous"], "previous") if len(pages) > 1 else []
    assert [ids(page) for page in back] == [ids(page) for page in reversed(pages[:-1])]


def test_rows_in_order_are_those_of_the_database(people: People, show: Show) -> None:
    body = people.client("analyst").get(f"/api/v1/shows/{show.id}/episodes/?ordering=title").json()
    assert [row["title"] for row in body["results"]] == ["a", "a", "b", "c", "d", "e", "f"]


def test_a_row_that_comes_or_goes_shifts_no_page(people: People, show: Show) -> None:
    client = people.client("analyst")
    address = f"/api/v1/shows/{show.id}/episodes/?ordering=-published_at"
    whole = ids(client.get(address).json())
    first = client.get(f"{address}&page_size=3").json()
    EpisodeFactory(show=show, published_at=now() + timedelta(days=1), status="scheduled")
    show.episodes.filter(id=whole[2]).delete()  # the very row that the cursor names
    assert ids(client.get(first["next"]).json()) == whole[3:6]


def test_a_page_in_front_of_rows_that_went_leads_to_the_beginning(
    people: People, show: Show
) -> None:
    client = people.client("analyst")
    second = walk(client, f"/api/v1/shows/{show.id}/episodes/?page_size=4")[1]
    show.episodes.exclude(id__in=ids(second)).delete()
    empty = client.get(second["previous"]).json()
    assert empty["results"] == []
    assert ids(client.get(empty["next"]).json()) == ids(second)


def forged(value: bytes, ordering: bytes = b"title") -> str:
    """A cursor with a value of somebody's own."""
    document = b'["' + ordering + b'",false,' + value + b',"0198c0de-0000-7000-8000-000000000000"]'
    return "cursor=" + urlsafe_b64encode(document).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("page_size=0", "page_size", "invalid"),
        ("page_size=201", "page_size", "invalid"),
        ("page_size=", "page_size", "invalid"),
        ("page_size=ten", "page_size", "invalid"),
        ("page_size=٣", "page_size", "invalid"),
        ("page_size=" + "9" * 5000, "page_size", "invalid"),
        ("page_size=0000002001000000", "page_size", "invalid"),
        ("page_size=000000000200", "page_size", "invalid"),
        ("ordering=secret", "ordering", "invalid_choice"),
        ("ordering=", "ordering", "invalid_choice"),
        ("ordering=--title", "ordering", "invalid_choice"),
        ("cursor=", "cursor", "required"),
        ("cursor=%00", "cursor", "invalid_cursor"),
        ("cursor=bm90IG91cnM", "cursor", "invalid_cursor"),
        ("cursor=WyItdGl0bGUiLGZhbHNlLCJhIiwieCJd", "cursor", "invalid_cursor"),  # an id: "x"
        ("cursor=WyIteCIsZmFsc2UsMSwieCJd", "ordering", "invalid_choice"),  # ordering: "-x"
        (forged(b"[" * 60_000 + b"]" * 60_000), "cursor", "invalid_cursor"),
        (forged(b'"\\ud800"'), "cursor", "invalid_cursor"),
        (forged(b'"0001-01-01T00:00:00+01:00"', b"published_at"), "cursor", "invalid_cursor"),
        ("colour=red", "colour", "unknown_parameter"),
        ("fields=nothing", "fields", "unknown_field"),
        ("fields=", "fields", "required"),
        ("fields=,", "fields", "unknown_field"),
        ("fields=id,", "fields", "unknown_field"),
        ("status=nowhere", "status", "invalid_choice"),
        ("published_after=soon", "published_after", "invalid"),
        ("published_after=0001-01-01T00:00%2B01:00", "published_after", "invalid"),
        ("published_before=9999-12-31T23:59-01:00", "published_before", "invalid"),
        ("search=%00", "search", "null_characters_not_allowed"),
    ],
)
def test_a_parameter_that_can_not_be_accepted_is_named(
    query: str, parameter: str, code: str, people: People, show: Show
) -> None:
    response = people.client("analyst").get(f"/api/v1/shows/{show.id}/episodes/?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    [error] = response.json()["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)
    assert error["detail"].endswith(".")


@pytest.mark.parametrize(
    "query",
    [
        "published_after=2026-11-22T12:00%2B20:18",
        "published_before=2026-11-22T12:00-23:59",
        forged(b'"2026-11-22T12:00:00+20:18"', b"published_at"),
    ],
)
def test_an_offset_that_the_database_does_not_know_is_understood(
    query: str, people: People, show: Show
) -> None:
    response = people.client("analyst").get(f"/api/v1/shows/{show.id}/episodes/?{query}")
    assert response.status_code == 200, response.content


@pytest.mark.parametrize("value", [b"1e400", b"-1e400", b"9" * 400, b"{}", b"null"])
def test_a_cursor_that_names_no_number_is_none_of_ours(
    value: bytes, people: People, show: Show
) -> None:
    address = f"/api/v1/shows/{show.id}/statistics/episodes/"
    refused = people.client("analyst").get(f"{address}?{forged(value, b'all_time')}")
    assert refused.json()["errors"][0]["code"] == "invalid_cursor"


LONG = ["0000002001000000", "9" * 5000, "000000000200"]


@pytest.mark.parametrize("size", LONG)
def test_no_kind_of_list_takes_a_size_that_is_longer_than_a_number(
    size: str, people: People, show: Show
) -> None:
    organization = f"/api/v1/organizations/{people.organization.id}"
    for who, address in [
        ("analyst", "/api/v1/shows/"),
        ("analyst", f"/api/v1/shows/{show.id}/downloads/"),
        ("analyst", f"/api/v1/shows/{show.id}/statistics/episodes/"),
        ("analyst", f"{organization}/trash/"),
        ("staff", "/api/v1/platform/quarantine/"),
    ]:
        refused = people.client(who).get(f"{address}?page_size={size}")
        assert refused.status_code == 400, address
        assert refused.json()["errors"][0]["parameter"] == "page_size"


def test_a_cursor_goes_with_its_own_ordering(people: People, show: Show) -> None:
    client = people.client("analyst")
    address = f"/api/v1/shows/{show.id}/episodes/"
    link = client.get(f"{address}?page_size=2&ordering=title").json()["next"]
    refused = client.get(link.replace("ordering=title", "ordering=-title"))
    assert refused.json()["errors"][0]["code"] == "invalid_cursor"
    without = client.get(link.replace("&ordering=title", "")).json()
    assert [row["title"] for row in without["results"]] == ["b", "c"]


def test_a_list_answers_with_the_fields_that_are_wanted(people: People, show: Show) -> None:
    address = f"/api/v1/shows/{show.id}/episodes/?ordering=title&fields=title,show.handle"
    body = people.client("analyst").get(address).json()
    assert body["results"][0] == {"title": "a", "show": {"handle": show.handle}}
