"""What is answered where no view answers: problem details under ``/api/``, pages elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from api.base.problems import CONTENT_TYPE, NOTHING_HERE, problem
from api.base.rendering import to_json


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address is one of the API's, or would be."""
    return request.path.startswith("/api/")


def refusal(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None
) -> HttpResponse:
    """A problem document (RFC 9457)."""
    body = to_json(problem(status, code, detail).data)
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request could not even be taken apart."""
    if is_for_programs(request):
        return refusal(400, "bad_request", "This request can’t be understood.")
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 from outside of the API's views."""
    if is_for_programs(request):
        return refusal(403, "permission_denied", "You may not do this.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such address."""
    if is_for_programs(request):
        return refusal(404, "not_found", NOTHING_HERE)
    return defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """500: a mistake of ours, which stands in the log."""
    if is_for_programs(request):
        return refusal(500, "internal_error", "Something went wrong here. It was written down.")
    return defaults.server_error(request)
