"""The reference of the API: every operation of the document stands in it, for anybody, fast."""

import re
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.core import openapi
from frontend.reference.chapters import Operation, reference
from frontend.reference.curl import curl_line
from frontend.reference.fields import Fields

pytestmark = pytest.mark.django_db
OVERVIEW = "/api/v1/docs/"


def text_of(path: str) -> str:
    response = Client().get(path)
    assert response.status_code == 200
    return response.content.decode()


def operations() -> list[Operation]:
    return [operation for chapter in reference().chapters for operation in chapter.operations]


def test_every_operation_is_listed_and_explained_in_its_chapter() -> None:
    overview = text_of(OVERVIEW)
    documented = {
        operation["operationId"]
        for methods in openapi.document()["paths"].values()
        for operation in methods.values()
    }
    assert {operation.name for operation in operations()} == documented
    for chapter in reference().chapters:
        page = text_of(f"{OVERVIEW}{chapter.slug}/")
        for operation in chapter.operations:
            assert f'href="{OVERVIEW}{chapter.slug}/#{operation.name}"' in overview
            assert f'id="{operation.name}"' in page


def test_every_link_within_the_pages_leads_somewhere() -> None:
    for chapter in reference().chapters:
        page = text_of(f"{OVERVIEW}{chapter.slug}/")
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_it_says_who_may_do_it_with_which_scope_and_how() -> None:
    page = unescape(text_of(f"{OVERVIEW}shows/"))
    assert "admins and owners" in page
    assert "session, or a token" in page
    assert 'curl --request DELETE "' in page
    assert "confirmation_required" in page
    assert '"title": "Harbour Lights"' in page


def test_a_chapter_that_there_is_not_is_not_found() -> None:
    assert Client().get(f"{OVERVIEW}nothing/").status_code == 404


def test_a_page_is_made_once_and_sent_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first = Client().get(OVERVIEW)
    with django_assert_num_queries(0):
        again = Client().get(OVERVIEW, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert Client().post(OVERVIEW).status_code == 405


def test_who_has_signed_in_gets_another_tag_than_who_has_not(client: Client) -> None:
    from tests.factories import UserFactory

    client.force_login(UserFactory())
    assert client.get(OVERVIEW)["ETag"] != Client().get(OVERVIEW)["ETag"]


DOCUMENT = {
    "components": {
        "schemas": {
            "Kind": {"type": "string", "enum": ["a", "b"]},
            "Node": {
                "type": "object",
                "required": ["kind"],
                "properties": {
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "next": {"oneOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
                    "ids": {"type": "array", "items": {"type": "string", "format": "uuid"}},
                    "size": {"type": ["integer", "null"], "minimum": 1, "default": 5},
                },
            },
        }
    }
}


def test_fields_are_read_from_schemas_that_refer_to_each_other_and_themselves() -> None:
    fields = Fields(DOCUMENT)
    node = fields.of({"$ref": "#/components/schemas/Node"})
    kind, following, ids, size = node
    assert (kind.kind, kind.choices, kind.is_required) == ("text", ("a", "b"), True)
    assert following.kind == "object or null"
    assert [inner.name for inner in following.inner] == ["kind", "next", "ids", "size"]
    assert (ids.kind, ids.is_required) == ("list of ids", False)
    assert (size.kind, size.limits, size.default) == ("whole number or null", "from 1", "5")


def test_a_line_for_a_shell_can_be_read_by_a_shell() -> None:
    operation = {
        "requestBody": {"content": {"application/json": {"example": {"title": "It’s 5 o'clock"}}}}
    }
    line = curl_line("https://x.example", "/api/v1/shows/{show_id}/episodes/", "post", operation)
    assert '"https://x.example/api/v1/shows/$SHOW/episodes/"' in line
    assert "'\"'\"'" in line
    stream = curl_line("https://x.example", "/api/v1/shows/{id}/live", "get", {})
    assert "--no-buffer" in stream
    assert "$SHOW/live" in stream
