"""What every page and API answer has in common: bodies that are too large, and caches."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.decorators import sync_and_async_middleware

from hosting.front_door import TOO_LARGE
from hosting.refusals import is_for_programs, refusal

type GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

_TOO_LARGE_TEXT = "This is more than can be taken in with one request."


@sync_and_async_middleware
def common(get_response: GetResponse) -> GetResponse:
    """Refuse what the front door cut off; let no shared cache keep a page."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            refusal = _refusal(request)
            return _kept_private(refusal or await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _kept_private(_refusal(request) or get_response(request))  # type: ignore[arg-type]

    return answer


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if TOO_LARGE not in getattr(request, "scope", {}):
        return None
    # The rest of the body is still on its way: only closing the connection ends it.
    headers = {"Connection": "close"}
    if is_for_programs(request):
        return refusal(413, "too_large", _TOO_LARGE_TEXT, headers)
    return HttpResponse(render_to_string("413.html"), status=413, headers=headers)


def _kept_private(response: HttpResponseBase) -> HttpResponseBase:
    """Pages name the person who is signed in: only their own browser may keep them (RFC 9111, 3.5).

    And it asks again each time, so that after signing out nothing is shown from a cache.
    """
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
