"""The OpenAPI document: complete, and the same as what the code does."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import resolve, reverse

from api.base.views import SPARSE_TYPE
from api.document.live import STATE_SCHEMA
from api.document.naming import operation_id
from api.document.roles import LEAST_ROLES, SESSION_ONLY, WORDS
from api.document.tags import TAGS
from api.document.webhooks import DATA
from apps.accounts.scopes import Scope
from apps.core import openapi
from apps.live.groups import Kind
from apps.webhooks.event_types import EventType
from tests.access.matrix import MATRIX
from tests.docs.test_problem_codes import table
from tests.factories import ShowFactory

type Schema = dict[str, Any]


def operations() -> Iterator[tuple[str, str, Schema]]:
    """Address, method and operation."""
    for path, methods in openapi.document()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_is_valid_and_nothing_is_warned_of() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", file="/dev/null")


def test_every_operation_has_a_name_a_summary_a_chapter_and_who_may_do_it() -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations())
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    for path, method, operation in operations():
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert len(operation["tags"]) == 1, where
        assert operation["tags"][0] in TAGS, where
        assert operation["x-role"] in WORDS, where
        assert operation["security"], where
        undescribed = [one["name"] for one in operation["parameters"] if one["in"] != "path"]
        assert all(
            one.get("description") for one in operation["parameters"] if one["name"] in undescribed
        ), where


def test_every_chapter_has_operations_and_a_description() -> None:
    used = {operation["tags"][0] for _, _, operation in operations()}
    described = openapi.document()["tags"]
    assert used == set(TAGS) == {tag["name"] for tag in described}
    assert all(tag["description"] for tag in described)


def test_every_refusal_is_told_as_a_problem() -> None:
    shared = openapi.document()["components"]["responses"]
    for path, method, operation in operations():
        refusals = {status for status in operation["responses"] if status >= "400"}
        assert refusals, (method, path)
        for status in refusals:
            answer = operation["responses"][status]
            if "$ref" in answer:
                answer = shared[answer["$ref"].rpartition("/")[2]]
            assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


# Whatever is asked for may be refused with these; the document's first words tell of them.
EVERYWHERE = {
    *("invalid", "parse_error", "bad_request", "not_found", "permission_denied", "too_large"),
    *("not_authenticated", "invalid_token", "token_expired", "token_revoked", "account_inactive"),
    *("insufficient_scope", "method_not_allowed", "not_acceptable", "unsupported_media_type"),
    *("throttled", "internal_error", "unavailable", "if_match_not_supported", "changed_meanwhile"),
    *("invalid_idempotency_key", "idempotency_key_in_use", "idempotency_key_expired"),
    *("idempotency_key_reused", "too_many_keys"),
}


def test_every_code_of_its_own_stands_beside_an_operation() -> None:
    told = {
        code
        for _, _, operation in operations()
        for answer in operation["responses"].values()
        for code in re.findall(r"`([a-z_]+)`", answer.get("description", ""))
    }
    assert table() - EVERYWHERE - told == set()


def test_lists_are_pages_with_their_filters() -> None:
    document = openapi.document()
    filters = {
        "/api/v1/episodes/": {"status", "show", "organization", "season", "search"},
        "/api/v1/shows/{show_id}/episodes/": {"status", "season", "published_after", "search"},
        "/api/v1/organizations/{organization_id}/uploads/": {"status", "search"},
        "/api/v1/organizations/{organization_id}/trash/": {"kind"},
    }
    for path, wanted in filters.items():
        listing = document["paths"][path]["get"]
        contents = listing["responses"]["200"]["content"]
        assert SPARSE_TYPE in contents, path
        schema = contents["application/json"]["schema"]
        page = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert set(page["properties"]) == {"next", "previous", "results"}
        named = {found["name"] for found in listing["parameters"]}
        assert named >= wanted | {"cursor", "page_size", "ordering", "fields"}, path


def test_what_is_made_leads_to_what_can_be_done_with_it() -> None:
    """Where its address needs no more than its own id, which is all that the answer has."""
    checked = 0
    for path, method, operation in operations():
        made = operation["responses"].get("201", {})
        if not made:
            continue
        view: Any = getattr(resolve(address_like(path)).func, "view_class", None)
        if len(view.row_route) != 1:
            assert "links" not in made, path
            continue
        own = resolve(reverse(f"api:{view.row_route[0]}", args=[UUID(int=7)]))
        [parameter] = own.kwargs
        assert made["links"], (method, path)
        for target, link in made["links"].items():
            assert list(link["parameters"]) == [parameter], (path, target)
        checked += 1
    assert checked >= 6


def test_what_a_token_needs_is_named() -> None:
    scopes = {scope.value for scope in Scope}
    for _, _, operation in operations():
        name = operation["operationId"]
        ways = {way: wanted for one in operation["security"] for way, wanted in one.items()}
        if name == "get_schema":
            assert ways == {}
            continue
        assert ways["session"] == [], name
        assert ("token" in ways) is (name not in SESSION_ONLY), name
        assert set(ways.get("token", [])) <= scopes, name


@pytest.mark.parametrize(
    ("address", "method", "is_list", "name"),
    [
        ("/api/v1/shows/", "GET", True, "list_shows"),
        ("/api/v1/shows/{show_id}/", "GET", False, "get_show"),
        ("/api/v1/shows/{show_id}/", "DELETE", False, "delete_show"),
        ("/api/v1/shows/{show_id}/feed/", "GET", False, "get_show_feed"),
        ("/api/v1/shows/{show_id}/artwork/", "PUT", False, "set_show_artwork"),
        ("/api/v1/shows/{show_id}/episodes/", "GET", True, "list_show_episodes"),
        ("/api/v1/shows/{show_id}/episodes/", "POST", True, "create_show_episode"),
        ("/api/v1/episodes/{episode_id}/publish/", "POST", False, "publish_episode"),
        ("/api/v1/organizations/{o}/members/{m}/", "PATCH", False, "update_member"),
        ("/api/v1/vocabularies/", "GET", False, "get_vocabularies"),
    ],
)
def test_names_are_a_verb_and_what_the_address_leads_along(
    address: str, method: str, is_list: bool, name: str
) -> None:
    assert operation_id(address, method, is_list=is_list) == name


def address_like(path: str) -> str:
    """An address with ids of nothing in it."""
    return re.sub(r"{\w+}", str(UUID(int=7)), re.sub(r"{member_id}", "7", path))


def route(path: str) -> str:
    """The name of an address's route."""
    return resolve(address_like(path)).view_name


def test_who_may_do_what_is_what_the_access_matrix_says() -> None:
    wrong = {}
    for path, method, operation in operations():
        name = operation["operationId"]
        if name.startswith("stream_"):
            continue
        rows = [row for row in MATRIX[route(path)] if row.method == method]
        said = LEAST_ROLES.get(name, "person")
        # In the matrix nobody finds a token that is the organisation's among their own.
        least = [row.least.replace("nobody", "person") for row in rows[:1]]
        if least and least != [said]:
            wrong[name] = least
    assert wrong == {}


def test_streams_and_webhooks_are_in_it() -> None:
    paths = openapi.document()["paths"]
    streams = [path for path in paths if path.endswith("/live")]
    assert len(streams) == len(Kind)
    assert set(openapi.document()["webhooks"]) == set(DATA)
    assert set(DATA) == {*EventType.values, "ping"}


def test_a_live_state_has_the_fields_that_are_documented(people: Any) -> None:
    address = f"/api/v1/organizations/{people.organization.pk}/live/state/"
    state = people.client("owner").get(address).json()
    assert set(state) <= set(STATE_SCHEMA["properties"])
    assert set(STATE_SCHEMA["required"]) <= set(state)


def test_it_is_handed_out_with_a_tag_and_made_once(db: None) -> None:
    first = Client().get("/api/v1/schema/")
    assert first.status_code == 200
    assert json.loads(first.content)["openapi"].startswith("3.1")
    again = Client().get("/api/v1/schema/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert openapi.document() is openapi.document()


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing/", "/api/v1/shows/no-uuid/", "/api/v2/", "/api/v1/shows/1/2/3"]
)
def test_an_address_that_there_is_not_is_told_as_a_problem(path: str, db: None) -> None:
    answer = Client().get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_a_method_that_is_not_taken_is_told_before_its_parameters(people: Any) -> None:
    answer = people.client("owner").delete("/api/v1/shows/?no_such=parameter")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_a_filter_without_a_value_is_refused(people: Any) -> None:
    for query in ("show=", "season=", "season=0.5", "organization="):
        answer = people.client("owner").get(f"/api/v1/episodes/?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]
    assert people.client("owner").get("/api/v1/episodes/?search=").status_code == 200


def test_a_period_without_a_day_is_refused(people: Any) -> None:
    address = f"/api/v1/organizations/{people.organization.pk}/statistics/downloads/"
    answer = people.client("owner").get(f"{address}?to=")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "to")


@pytest.mark.parametrize("wrong", [False, 7, None, [], "7"])
def test_what_is_no_id_is_refused(people: Any, wrong: Any) -> None:
    show = ShowFactory(organization=people.organization)
    answer = people.client("owner").post(
        f"/api/v1/shows/{show.pk}/episodes/bulk/",
        {"episodes": [wrong], "action": "publish"},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
