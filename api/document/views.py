"""``/schema/``: the OpenAPI document itself."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.views import ApiView
from apps.core import openapi


class SchemaView(ApiView):
    """What a program can do is no secret; what it may do is told by each address."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []
    read_scope = None

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """This document: all operations with their parameters, bodies and refusals, for tools."""
        return Response(openapi.document(), headers={"Cache-Control": "max-age=300"})
