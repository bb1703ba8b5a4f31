"""Every route, asked as every kind of person.

One that is missing from the table fails ``test_every_route_stands_in_the_matrix``.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.access.matrix import MATRIX, STAFF_FIND_NOTHING
from tests.access.rows import (
    PERSONAS,
    Row,
    World,
)


def ask(client: Client, row: Row, world: World) -> str:
    """How the person fared: see Row.expected."""
    body = row.body(world)
    kwargs: dict[str, Any] = {}
    if row.method != "get":
        kwargs = (
            {"data": json.dumps(body), "content_type": "application/json"}
            if row.is_api
            else {"data": body}
        )
    response = getattr(client, row.method)(row.path(world), **kwargs)
    if response.status_code in {401, 403, 404}:
        return str(response.status_code)
    assert response.status_code < 500
    location = response.headers.get("Location", "")
    return "sign in" if location.startswith("/accounts/login/") else "in"


def rows() -> list[Any]:
    return [
        pytest.param(name, row, id=f"{row.method} {name}")
        for name, requests in MATRIX.items()
        for row in requests
    ]


# Pages that answer 404 for reasons of their own, or send people who are signed in elsewhere.
OWN_ANSWERS = {
    "people:invitation": {"404"},
    "account_confirm_login_code": {"in", "sign in"},  # nobody waits for a code
}
# The current organisation is the stranger's own: they are let in, to their own things.
OWN_ORGANIZATION = {
    "people:organization",
    "people:rename",
    "people:invite",
    "people:withdraw_invitation",
    "people:organization_tokens",
    "people:organization_tokens_new",
    "studio:trash",
    "studio:show_new",
    "webhooks:webhooks",
    "webhooks:new",
}


@pytest.mark.parametrize(("name", "row"), rows())
def test_everybody_fares_as_the_matrix_says(name: str, row: Row, world: World) -> None:
    for persona in PERSONAS:
        expected = row.expected(persona)
        if name in OWN_ORGANIZATION and persona == "stranger":
            expected = "in"
        allowed = OWN_ANSWERS.get(name, {expected})
        if name.startswith("admin:") and persona == "staff":
            allowed = STAFF_FIND_NOTHING.get(name, {"in", "403"})
        with transaction.atomic():
            fared = ask(world.people.client(persona), row, world)
            transaction.set_rollback(True)  # the next one finds the world as it was
        assert fared in allowed, f"{persona} {row.method} {name}: {fared}, not {expected}"


def route_names(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from route_names(pattern.url_patterns, namespace)
        elif isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name or pattern.pattern}"


def test_every_route_stands_in_the_matrix() -> None:
    names = set(route_names(get_resolver(settings.ROOT_URLCONF).url_patterns))
    assert names == set(MATRIX)


def test_every_route_of_the_data_plane_is_known() -> None:
    """Public feeds, media, artwork and chapters, and parts with a signed address."""
    names = set(route_names(get_resolver(settings.DATA_URLCONF).url_patterns))
    assert names == {"media", "feed", "chapters", "artwork", "upload-part"}


def test_ids_of_nothing_answer_as_those_of_others_do(world: World) -> None:
    """A stranger can't tell a foreign row from none."""
    client = world.people.client("stranger")
    nothing = UUID(int=7)
    for path in ("/studio/shows/{}/", "/studio/episodes/{}/"):
        foreign_id = world.show.id if "shows" in path else world.draft.id
        answers = [client.get(path.format(pk)) for pk in (nothing, foreign_id)]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].content == answers[1].content
