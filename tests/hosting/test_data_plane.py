"""The trimmed handler: what it answers itself, what it leaves out, and how it fails."""

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.signals import request_finished, request_started
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path, resolve

from hosting.data_plane import PREFIXES, DataPlane
from tests.asgi import call

ERRORS: dict[str, Callable[[], Exception]] = {
    "404": Http404,
    "403": PermissionDenied,
    "400": lambda: SuspiciousOperation("odd"),
    "503": lambda: OperationalError("server closed the connection unexpectedly"),
    "500": lambda: RuntimeError("a secret of the inside"),
}


async def fail(request: HttpRequest, status: str) -> HttpResponse:
    raise ERRORS[status]()


async def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


urlpatterns = [path("feeds/hello", hello), path("feeds/<str:status>", fail)]


def data_plane() -> DataPlane:
    return DataPlane(urlconf=__name__)


def test_every_prefix_has_an_address_and_every_address_a_prefix() -> None:
    from hosting.data_urls import urlpatterns as addresses

    assert {f"/{str(address.pattern).partition('/')[0]}/" for address in addresses} == set(PREFIXES)


def test_what_is_not_the_data_planes_goes_on() -> None:
    async def control_plane(scope: object, receive: object, send: object) -> None:
        for message in (
            {"type": "http.response.start", "status": 299, "headers": []},
            {"type": "http.response.body"},
        ):
            await send(message)  # type: ignore[operator]

    plane = DataPlane(otherwise=control_plane, urlconf=__name__)
    assert call(plane, "GET", "/studio/").status == 299
    assert call(plane, "GET", "/feedsx/hello").status == 299
    assert call(plane, "GET", "/feeds/hello").body == b"hello"


@pytest.mark.parametrize("status", sorted(ERRORS))
def test_a_failing_view_is_answered_in_plain_words(status: str) -> None:
    reply = call(data_plane(), "GET", f"/feeds/{status}")
    assert reply.status == int(status)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert b"secret" not in reply.body
    assert ("retry-after" in reply.headers) == (status == "503")


def test_a_query_that_is_no_text_is_answered() -> None:
    async def spoiled(scope: dict[str, object], receive: object, send: object) -> None:
        await data_plane()(scope | {"query_string": b"\xff"}, receive, send)  # type: ignore[arg-type]

    assert call(spoiled, "GET", "/feeds/hello").status == 200


def test_no_middleware_and_no_signal_is_paid_for() -> None:
    heard: list[object] = []

    def listener(**kwargs: object) -> None:
        heard.append(kwargs)

    request_started.connect(listener)
    request_finished.connect(listener)
    try:
        with override_settings(MIDDLEWARE=["no.such.Middleware"]):
            reply = call(data_plane(), "GET", "/feeds/hello")
    finally:
        request_started.disconnect(listener)
        request_finished.disconnect(listener)
    assert (reply.status, reply.body, heard) == (200, b"hello", [])


def test_a_length_is_always_told() -> None:
    assert call(data_plane(), "GET", "/feeds/hello").headers["content-length"] == "5"


def test_media_can_be_addressed_by_name() -> None:
    match = resolve(
        "/media/018f3f6e-0000-7000-8000-000000000000/a.mp3", urlconf="hosting.data_urls"
    )
    assert match.url_name == "media"
