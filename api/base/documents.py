"""What the OpenAPI document says of refusals."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from api.base.problems import CONTENT_TYPE

type Responses = dict[tuple[int, str], OpenApiResponse]


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """One value that can't be accepted: in the body, or behind the question mark."""

    pointer = serializers.CharField(
        required=False, help_text="A JSON pointer (RFC 6901) into the body."
    )
    parameter = serializers.CharField(required=False)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Problem details after RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for a person.")
    code = serializers.CharField(help_text="For programs; it stays.")
    errors = ProblemErrorSerializer(  # type: ignore[assignment]
        many=True, required=False
    )


def problems(refused: dict[int, str]) -> Responses:
    """Responses for ``extend_schema``: for each status, when it comes and with which codes."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, description=description)
        for status, description in refused.items()
    }


INVALID = "`invalid`: values that can’t be accepted, each named in `errors`."
FORBIDDEN = "`permission_denied`: a stronger role is needed."
NOT_FOUND = "`not_found`: there is no such thing, or not for you."
CHANGED = "`changed_meanwhile`: it is not what `If-Match` names any more."
