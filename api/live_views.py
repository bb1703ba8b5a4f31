"""What the live sockets say, for whoever has to poll."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.live.groups import PLATFORM, Board
from apps.live.states import board_message
from podcasts.access import get_show


def _answer(board: Board) -> Response:
    return Response(board_message(board), headers={"Cache-Control": "no-store"})


class ShowLiveView(APIView):
    """The live figures of one show, for its organisation's members."""

    @extend_schema(operation_id="show_live", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, show_id: UUID) -> Response:
        """The same JSON object that the show's socket sends."""
        return _answer(Board(get_show(request.user, show_id).id))


class PlatformLiveView(APIView):
    """The live figures of the platform, for its staff."""

    @extend_schema(operation_id="platform_live", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The same JSON object that the platform's socket sends."""
        if not getattr(request.user, "is_staff", False):
            raise Http404("There is no such page.")
        return _answer(PLATFORM)
