"""Entity tags of answers: 304 for what is known (RFC 9110, 13.1.2), 412 for a lost update (13.1.1).

A tag is made from the bytes of an answer, so that it changes exactly when they do.
"""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from rest_framework.response import Response

from api.base.problems import ProblemError


def entity_tag(body: bytes) -> str:
    """The strong tag of an answer with this body, quotes included."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def tagged(request: HttpRequest, response: Response) -> Response:
    """Give an answer its tag once it is rendered, and send 304 to whoever has it already."""

    def finish(rendered: Any) -> HttpResponseBase | None:
        rendered.headers.setdefault("ETag", entity_tag(rendered.content))
        if not _is_known(rendered.headers["ETag"], request.headers.get("If-None-Match", "")):
            return None
        kept = {name: rendered.headers[name] for name in _KEPT if name in rendered.headers}
        return HttpResponseNotModified(headers=kept)

    response.add_post_render_callback(finish)
    return response


def _is_known(tag: str, header: str) -> bool:
    """The weak comparison of RFC 9110, 13.1.2."""
    return header.strip() == "*" or tag in [
        known.strip().removeprefix("W/") for known in header.split(",")
    ]


# What RFC 9110, 15.4.5, wants in a 304, and the limits that hold for the next request.
_KEPT = ("ETag", "Cache-Control", "Vary", "RateLimit", "RateLimit-Policy")


def require_match(request: HttpRequest, body: bytes) -> None:
    """Raise the problem of a lost update unless ``If-Match`` names what is stored now."""
    wanted = request.headers.get("If-Match", "").strip()
    if wanted in ("", "*"):
        return
    # Weak tags never match here (RFC 9110, 13.1.1).
    if entity_tag(body) not in [tag.strip() for tag in wanted.split(",")]:
        raise ProblemError(
            412,
            "changed_meanwhile",
            "This has changed since you read it. Read it again, and change what is there now.",
        )
