"""What the OpenAPI document says of refusals."""

from drf_spectacular.utils import OpenApiResponse

from api.base.problems import CONTENT_TYPE

type Responses = dict[tuple[int, str], OpenApiResponse]


# Described in `api.base.schema`, with its example.
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def problems(refused: dict[int, str]) -> Responses:
    """Responses for ``extend_schema``: for each status, when it comes and with which codes."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(_PROBLEM, description=description)
        for status, description in refused.items()
    }


INVALID = "`invalid`: values that can’t be accepted, each named in `errors`."
FORBIDDEN = "`permission_denied`: a stronger role is needed."
NOT_FOUND = "`not_found`: there is no such thing, or not for you."
CHANGED = "`changed_meanwhile`: it is not what `If-Match` names any more."
