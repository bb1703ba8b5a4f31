"""Whatever a person can change on a page, a program can change through the API.

Pages are not believed but asked: a method that nothing takes is answered with 405 and the header
``Allow`` (RFC 9110, 15.5.6) by pages and API alike. A page that takes POST needs a counterpart.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.conftest import People

pytestmark = pytest.mark.usefixtures("clean_valkey")

NOBODY_TAKES = "PROPFIND"
READING = {"GET", "HEAD", "OPTIONS"}

# What each page that takes POST changes, as a program asks for it: methods and names of routes.
COUNTERPARTS: dict[str, list[tuple[str, str]]] = {
    "people:rename": [("PATCH", "api:organization")],
    "people:found": [("POST", "api:organizations")],
    "people:invite": [("POST", "api:invitations")],
    "people:withdraw_invitation": [("DELETE", "api:invitation")],
    "people:change_role": [("PATCH", "api:member")],
    "people:remove_member": [("DELETE", "api:member")],
    "people:invitation": [("POST", "api:accept-invitation")],
    "people:organization_tokens_new": [("POST", "api:organization-tokens")],
    "people:organization_tokens_revoke": [("DELETE", "api:organization-token")],
    "people:tokens_new": [("POST", "api:tokens")],
    "people:tokens_revoke": [("DELETE", "api:token")],
    "studio:show_new": [("POST", "api:organization-shows")],
    "studio:show_settings": [("PATCH", "api:show"), ("PUT", "api:show-artwork")],
    "studio:show_delete": [("DELETE", "api:show")],
    "studio:show_restore": [("POST", "api:restore-show")],
    "studio:episode_new": [("POST", "api:episodes")],
    # The editor saves texts and the picture; audio it sends through the API itself.
    "studio:episode": [
        ("PATCH", "api:episode"),
        ("PUT", "api:episode-artwork"),
        ("DELETE", "api:episode-artwork"),
        ("POST", "api:uploads"),
        ("POST", "api:episode-audio"),
        ("DELETE", "api:episode-audio"),
    ],
    "studio:episode_publish": [("POST", "api:publish-episode")],
    "studio:episode_schedule": [("POST", "api:schedule-episode")],
    "studio:episode_unschedule": [("POST", "api:unschedule-episode")],
    "studio:episode_unpublish": [("POST", "api:unpublish-episode")],
    "studio:episode_delete": [("DELETE", "api:episode")],
    "studio:episode_restore": [("POST", "api:restore-episode")],
    "studio:notes_preview": [("POST", "api:notes-preview")],
    "webhooks:new": [("POST", "api:webhooks")],
    "webhooks:edit": [("PATCH", "api:webhook")],
    "webhooks:switch": [("PATCH", "api:webhook")],
    "webhooks:delete": [("DELETE", "api:webhook")],
    "webhooks:secret": [("POST", "api:webhook-secret")],
    "webhooks:test": [("POST", "api:webhook-test")],
    "webhooks:replay": [("POST", "api:webhook-replay")],
    "webhooks:delivery_replay": [("POST", "api:webhook-delivery-replay")],
    "platform:release": [("POST", "api:release-quarantine")],
}
# Pages that take POST and need none.
EXCEPTIONS = {
    "people:switch": "which organisation pages are about; addresses of the API name theirs",
}
# Whole families of pages, by what their names begin with.
FAMILIES = {
    "admin:": "Django's, where the platform's staff look at rows; services alone write them",
    "idp:": "OAuth's: a person's own browser lets an app in, and its addresses are for apps anyway",
    "account_": "allauth's: passwords, sign-in and addresses are for the person's own browser",
}

# What stands in an address where it has a part of this kind.
PARTS = {
    "UUIDConverter": UUID(int=7),
    "IntConverter": 7,
    "StringConverter": "seven",
    "PathConverter": "seven",
    "SlugConverter": "seven",
    "FileKind": "csv",
}


def routes(
    patterns: list[Any] | None = None, prefix: str = "", parts: dict[str, Any] | None = None
) -> Iterator[tuple[str, str]]:
    """Name and address of every route of the control plane."""
    parts = parts or {}
    for pattern in patterns or get_resolver(settings.ROOT_URLCONF).url_patterns:
        converters = getattr(pattern.pattern, "converters", {})
        own = parts | {name: PARTS[type(found).__name__] for name, found in converters.items()}
        if isinstance(pattern, URLResolver):
            namespace = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from routes(pattern.url_patterns, namespace, own)
        elif isinstance(pattern, URLPattern) and not is_of_a_family(f"{prefix}{pattern.name}"):
            yield f"{prefix}{pattern.name}", reverse(f"{prefix}{pattern.name}", kwargs=own)


def is_of_a_family(name: str) -> bool:
    return name.startswith(tuple(FAMILIES))


def is_page(name: str) -> bool:
    return not name.startswith("api:")


def allowed(client: Client, address: str) -> set[str] | None:
    """The methods that an address takes, as it says itself; None when it takes any."""
    answer = client.generic(NOBODY_TAKES, address)
    if answer.status_code != 405:
        return None
    return {method.strip() for method in answer.headers["Allow"].split(",")}


@pytest.fixture
def taken(people: People) -> dict[str, set[str] | None]:
    """Every route's methods, asked as somebody who is let in everywhere."""
    people.owner.is_staff = True
    people.owner.save()
    client = people.client("owner")
    return {name: allowed(client, address) for name, address in routes()}


# Pages that say nothing of methods, and why they change nothing.
SILENT = {"health": "it looks whether the engines answer, whatever the method"}


def test_every_page_says_which_methods_it_takes(taken: dict[str, set[str] | None]) -> None:
    silent = {name for name, methods in taken.items() if methods is None}
    assert silent == set(SILENT)


def test_every_page_that_changes_something_has_a_counterpart(
    taken: dict[str, set[str] | None],
) -> None:
    changing = {
        name for name, methods in taken.items() if is_page(name) and (methods or set()) - READING
    }
    assert changing == set(COUNTERPARTS) | set(EXCEPTIONS)
    assert not set(COUNTERPARTS) & set(EXCEPTIONS)


def test_every_counterpart_is_there_and_takes_its_method(
    taken: dict[str, set[str] | None],
) -> None:
    missing = [
        f"{page}: {method} {name}"
        for page, pairs in COUNTERPARTS.items()
        for method, name in pairs
        if method not in (taken.get(name) or set())
    ]
    assert not missing


def test_a_new_page_without_a_counterpart_would_be_found(people: People) -> None:
    """The way of asking tells pages that change something from those that show something."""
    client = people.client("owner")
    assert allowed(client, reverse("studio:show_new")) == {"GET", "HEAD", "POST"}
    assert allowed(client, reverse("people:switch")) == {"GET", "HEAD", "POST"}
    assert allowed(client, reverse("studio:home")) == {"GET"}
    assert allowed(client, reverse("api:shows")) == {"GET", "HEAD"} | {"OPTIONS"}
