"""What the OpenAPI document says of episodes, audio and uploads."""

import re
from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.conftest import People

OURS = re.compile(r"^/api/v1/(episodes|assets|uploads|notes-preview)/|/(episodes|seasons|uploads)/")


@pytest.fixture
def document(people: People) -> dict[str, Any]:
    """As a member gets it."""
    found: dict[str, Any] = people.client("analyst").get("/api/v1/schema/").json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By method and address."""
    return {
        f"{method} {path}": operation
        for path, methods in document["paths"].items()
        if OURS.search(path) and "/live/" not in path
        for method, operation in methods.items()
    }


def test_every_operation_has_a_name_of_its_own_and_a_sentence(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len(found) > 25
    names = Counter(operation["operationId"] for operation in found.values())
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert [at for at, operation in found.items() if not operation.get("description")] == []


def test_every_change_says_how_it_may_be_refused(document: dict[str, Any]) -> None:
    for at, operation in operations(document).items():
        refusals = {status for status in operation["responses"] if status >= "400"}
        assert refusals, at
        for status in refusals:
            answer = operation["responses"][status]
            if "$ref" in answer:
                answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            assert list(answer["content"]) == ["application/problem+json"], (at, status)


def test_lists_are_pages_with_their_filters(document: dict[str, Any]) -> None:
    filters = {
        "/api/v1/episodes/": {"status", "show", "organization", "season", "search"},
        "/api/v1/shows/{show_id}/episodes/": {"status", "season", "published_after", "search"},
        "/api/v1/organizations/{organization_id}/uploads/": {"status", "search"},
    }
    for path, wanted in filters.items():
        listing = operations(document)[f"get {path}"]
        schema = listing["responses"]["200"]["content"]["application/json"]["schema"]
        page = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert set(page["properties"]) == {"next", "previous", "results"}
        named = {found["name"] for found in operations(document)[f"get {path}"]["parameters"]}
        assert named >= wanted | {"cursor", "page_size", "ordering", "fields"}, path


def test_nothing_of_ours_is_warned_of() -> None:
    told = StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", told)
        call_command("spectacular", stdout=StringIO(), stderr=told)
    warned = [line for line in told.getvalue().splitlines() if "Warning" in line]
    assert [line for line in warned if re.search(r"[Ee]pisode|[Uu]pload|[Aa]sset", line)] == []
