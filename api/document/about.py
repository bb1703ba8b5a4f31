"""What the document says before its first operation: ``info``, the server, signing in."""

from typing import Any

from django.conf import settings

from api.base.idempotency import LIFETIME
from api.base.pagination import DEFAULT_SIZE, LARGEST_SIZE
from apps.accounts.scopes import Scope

_HOURS = int(LIFETIME.total_seconds()) // 3600

DESCRIPTION = f"""\
Whatever a person can do in the studio, a program can do here.

**Signing in.** `Authorization: Bearer lw_…` with an API token from the studio. A token has \
scopes, and each stands for itself: `write` does not include `read`. The studio's own pages use \
the session's cookie; then everything but GET also needs `X-CSRFToken`.

**Refusals.** Every refusal is a problem document (RFC 9457, `application/problem+json`). `code` \
is for programs and stays, `detail` is a sentence for a person, and `errors` names each wrong \
value by a JSON pointer or a parameter. Whoever may not know that something exists gets 404, a \
member whose role is too weak 403.

**Lists** are pages: `next`, `previous`, `results`. Follow the links as they are. `page_size` is \
{DEFAULT_SIZE} unless you say otherwise and {LARGEST_SIZE} at most; `ordering` says what comes \
first. A parameter that an address does not know is refused.

**Fields.** `fields=id,title,show.handle` answers with these and reads nothing else from the \
database. The answer's media type is then `application/vnd.longwave.sparse+json`.

**Reading again.** What is read has an `ETag`. With `If-None-Match` the answer is 304 while \
nothing has changed. HEAD is answered wherever GET is, with the same headers and no body.

**Lost updates.** Send the tag of what you read as `If-Match` with a change. When somebody else \
was faster the answer is 412 (`changed_meanwhile`) and nothing has happened. A change that takes \
no `If-Match` refuses it (400, `if_match_not_supported`).

**Repeating.** A POST with an `Idempotency-Key` may be sent again for {_HOURS} hours: it gets \
the same answer, with `Idempotency-Replayed: true`, and happens once. A refused attempt keeps \
nothing. A 201 says in `Location` where the new thing is.

**Limits.** `RateLimit-Policy` and `RateLimit` stand in every answer. Beyond them comes 429 with \
`Retry-After`.

**Times** are RFC 3339 in UTC, sizes bytes, ids UUIDs unless they are numbers. Fields may be \
added to answers at any time; those that are here keep their names and meanings.
"""

SESSION = "session"
TOKEN = "token"  # noqa: S105  # the name of a way to sign in

SECURITY: dict[str, Any] = {
    TOKEN: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "lw_…",
        "description": "An API token. The scopes that an operation needs stand beside it: "
        + ", ".join(f"`{scope.value}`" for scope in Scope)
        + ". It has at most the role of its person, or the one it was given.",
    },
    SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "The studio's session, which has all scopes. Anything but GET and HEAD "
        "needs the CSRF token as `X-CSRFToken` as well.",
    },
}


def add_about(document: dict[str, Any]) -> None:
    """To the document's root."""
    document["info"] |= {
        "description": DESCRIPTION,
        "license": {"name": "MIT", "identifier": "MIT"},
    }
    document["servers"] = [{"url": settings.BASE_URL, "description": "This installation"}]
    document["components"]["securitySchemes"] = SECURITY
