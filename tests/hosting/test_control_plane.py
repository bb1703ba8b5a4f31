"""Pages and the API: one thread for all of a request."""

import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from hosting.control_plane import ControlPlane
from tests.asgi import call

seen: list[tuple[str, int]] = []


def middleware(get_response):  # type: ignore[no-untyped-def]
    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(("before", threading.get_ident()))
        response: HttpResponse = get_response(request)
        seen.append(("after", threading.get_ident()))
        return response

    return answer


def view(request: HttpRequest) -> HttpResponse:
    seen.append(("view", threading.get_ident()))
    return HttpResponse("a page")


async def coroutine(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page all the same")


urlpatterns = [path("view", view), path("coroutine", coroutine)]


@pytest.fixture
def control_plane() -> ControlPlane:
    names = [
        "django.middleware.common.CommonMiddleware",
        "hosting.middleware.common",
        f"{__name__}.middleware",
    ]
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=names):
        return ControlPlane()


@pytest.mark.django_db  # its request signals look after the connections of tests before
@override_settings(ROOT_URLCONF=__name__)
def test_middleware_and_view_share_a_thread_that_is_not_the_event_loops(
    control_plane: ControlPlane,
) -> None:
    seen.clear()
    loop_threads: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        loop_threads.append(threading.get_ident())
        await control_plane(scope, receive, send)

    reply = call(application, "GET", "/view")
    assert (reply.status, reply.body) == (200, b"a page")
    assert [name for name, _ in seen] == ["before", "view", "after"]
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] not in loop_threads


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_a_coroutine_is_answered_too(control_plane: ControlPlane) -> None:
    assert call(control_plane, "GET", "/coroutine").body == b"a page all the same"
