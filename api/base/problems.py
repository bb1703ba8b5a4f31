"""What a refused request is answered: problem details (RFC 9457) with a stable code."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.views import set_rollback

CONTENT_TYPE = "application/problem+json"
NOTHING_HERE = "There is nothing here, or nothing for you."
"""Always in the same words: doors that differ would tell a foreign row from none."""
_NON_FIELD = "non_field_errors"


class ProblemError(Exception):
    """A refusal with a code of its own, raised by views for what services refuse."""

    errors: list[dict[str, str]] | None = None

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The body of RFC 9457 section 3.1, with ``code`` and ``errors`` as extensions (3.2)."""
    body: dict[str, Any] = {
        # Section 4.2.1: "about:blank" says that the status tells all there is to tell.
        "type": "about:blank" if code in _PLAIN_CODES else f"urn:longwave:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


_PLAIN_CODES = {
    "not_found",
    "permission_denied",
    "method_not_allowed",
    "not_acceptable",
    "unsupported_media_type",
}


def problem_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER; None lets an unforeseen error reach Django's own handling."""
    response = _response(exception)
    if response is not None:
        set_rollback()
    return response


def _response(exception: Exception) -> Response | None:
    match exception:
        case ProblemError():
            return problem(
                exception.status, exception.code, exception.detail, errors=exception.errors
            )
        case Http404():
            return problem(404, "not_found", NOTHING_HERE)
        case PermissionDenied():
            return problem(403, "permission_denied", str(exception) or "You may not do this.")
        case ValidationError():
            return _invalid(list(details(get_error_detail(exception))))
        case exceptions.ValidationError():
            return _invalid(list(details(exception.detail)))
        case exceptions.APIException():
            return _plain(exception)
    return None


def _plain(exception: exceptions.APIException) -> Response:
    headers = {}
    if challenge := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exception, "wait", None):
        headers["Retry-After"] = str(int(wait))
    code = getattr(exception.detail, "code", exception.default_code)
    return problem(exception.status_code, code, str(exception.detail), headers=headers)


def _invalid(errors: list[dict[str, str]]) -> Response:
    only_one = len(errors) == 1
    detail = errors[0]["detail"] if only_one else f"{len(errors)} values can’t be accepted."
    return problem(400, "invalid", detail, errors=errors)


def details(detail: Any, pointer: str = "#") -> Iterator[dict[str, str]]:
    """Every message of DRF's errors, with a JSON pointer (RFC 6901) to the value it is about."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from details(inner, pointer if name == _NON_FIELD else f"{pointer}/{name}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_nested = isinstance(inner, (dict, list))
            yield from details(inner, f"{pointer}/{index}" if is_nested else pointer)
    else:
        yield {
            "pointer": pointer,
            "code": getattr(detail, "code", "invalid"),
            "detail": str(detail),
        }
