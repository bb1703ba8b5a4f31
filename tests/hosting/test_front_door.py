"""The front door: bodies are bounded before they are stored; a proxy tells of HTTPS."""

import json
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.test import Client
from pytest_django import Settings

from hosting.front_door import FrontDoor
from tests.asgi import Reply, call
from tests.conftest import People

MIB = 1024**2
FORM = "multipart/form-data; boundary=x"


class Taken:
    """Django, and how much of a body reached it."""

    def __init__(self) -> None:
        self.size = 0
        self._django = get_asgi_application()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def counted() -> Any:
            message = await receive()
            self.size += len(message.get("body", b""))
            return message

        await self._django(scope, counted, send)


def post(path: str, size: int, headers: dict[str, str]) -> tuple[Reply, int]:
    """The answer to a body of this size, and how much of it was taken in."""
    django = Taken()
    pieces = [b"x" * min(MIB, size - at) for at in range(0, size, MIB)]
    reply = call(FrontDoor(django), "POST", path, {"Host": "localhost", **headers}, body=pieces)
    return reply, django.size


@pytest.mark.django_db
@pytest.mark.parametrize("is_announced", [True, False])
@pytest.mark.parametrize(
    ("content_type", "size"), [(FORM, 40 * MIB), ("application/json", 9 * MIB)]
)
def test_a_body_that_is_too_large_is_refused_and_not_taken_in(
    content_type: str, size: int, is_announced: bool
) -> None:
    headers = {"Content-Type": content_type} | (
        {"Content-Length": str(size)} if is_announced else {}
    )
    reply, taken = post("/studio/shows/new/", size, headers)
    assert reply.status == 413
    assert b"too much at once" in reply.body
    assert reply.headers["connection"] == "close"
    assert "script-src 'self'" in reply.headers["content-security-policy"]
    assert taken == 0 if is_announced else taken < size / 1.5


@pytest.mark.django_db
def test_the_api_refuses_a_large_body_with_a_problem() -> None:
    headers = {"Content-Type": "application/json", "Content-Length": str(9 * MIB)}
    reply, _ = post("/api/v1/uploads/", 9 * MIB, headers)
    assert (reply.status, reply.headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(reply.body)["code"] == "too_large"


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", [FORM, "image/png"])
def test_the_largest_picture_goes_through_in_a_form_and_bare(content_type: str) -> None:
    size = 21 * MIB
    headers = {"Content-Type": content_type, "Content-Length": str(size)}
    reply, taken = post("/studio/shows/new/", size, headers)
    assert (reply.status, taken) == (403, size)  # no CSRF token; but it was read


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "told", "is_secure"),
    [
        (["192.0.2.0/24"], "https", True),
        (["192.0.2.0/24"], "http", False),
        (["192.0.2.0/24"], "https, http", False),
        (["10.0.0.0/8"], "https", False),
        ([], "https", False),
    ],
)
def test_https_is_believed_of_trusted_proxies_only(
    settings: Settings, proxies: list[str], told: str, is_secure: bool
) -> None:
    settings.TRUSTED_PROXIES = proxies
    settings.SECURE_HSTS_SECONDS = 31536000
    door = FrontDoor(get_asgi_application())
    reply = call(door, "GET", "/how-we-count/", {"Host": "localhost", "X-Forwarded-Proto": told})
    assert reply.status == 200
    assert ("strict-transport-security" in reply.headers) is is_secure


PAGES = [
    "/",
    "/studio/",
    "/studio/organization/",
    "/accounts/login/",
    "/no-such-page/",
    "/api/v1/shows/",
]


@pytest.mark.usefixtures("clean_valkey")
@pytest.mark.parametrize("path", [*PAGES, "/api/v1/platform/live/state/"])
@pytest.mark.parametrize("persona", ["anonymous", "owner"])
def test_no_shared_cache_keeps_a_page_and_every_answer_has_its_headers(
    people: People, path: str, persona: str
) -> None:
    headers = people.client(persona).get(path).headers
    assert {"private", "no-store"} & set(headers["Cache-Control"].replace(" ", "").split(","))
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "Access-Control-Allow-Origin" not in headers


def test_a_refused_host_is_answered_with_the_same_headers() -> None:
    answer = Client(headers={"host": "attacker.example"}).get("/")
    assert answer.status_code == 400
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_cookies_are_safe_behind_https() -> None:
    assert django_settings.SESSION_COOKIE_HTTPONLY
    assert django_settings.SESSION_COOKIE_SECURE is django_settings.IS_HTTPS
    assert django_settings.SESSION_COOKIE_SAMESITE == "Lax"
