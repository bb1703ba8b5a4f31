"""What the OpenAPI document says of refusals, and of values that are computed."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiResponse
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


class ComputedExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A computed value is described by the field that says what comes out."""

    target_class = "api.base.rows.Computed"

    def map_serializer_field(
        self, auto_schema: AutoSchema, direction: Direction
    ) -> dict[str, Any] | Any:
        """As the output alone would be."""
        return auto_schema._map_serializer_field(  # type: ignore[no-untyped-call]
            self.target.output, direction
        )
