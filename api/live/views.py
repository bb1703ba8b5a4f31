"""What the live sockets say, for whoever has to poll. The streams: ``api.live.streams``."""

import hashlib
import json
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.views import ApiView
from api.document.live import LIVE_STATE
from apps.accounts.scopes import Scope
from apps.live.access import require_board
from apps.live.boards import current_text
from apps.live.groups import PLATFORM, Board
from apps.live.states import essence


def _answer(request: Request, board: Board) -> Response:
    """With the tag of what a reader sees, so that 304 is sent while that is the same."""
    require_board(request.user, board)
    message = json.loads(current_text(board))
    etag = f'"{hashlib.sha256(json.dumps(essence(message)).encode()).hexdigest()[:32]}"'
    # Asked again each time, and kept by the person's own browser only.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    return Response(message, headers=headers)


class OrganizationLiveView(ApiView):
    """The live figures of all shows of an organisation, for its members."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request, organization_id: UUID) -> Response:
        """The same JSON object that the organisation's socket sends."""
        return _answer(request, Board.of_organization(organization_id))


class ShowLiveView(ApiView):
    """The live figures of one show, for its organisation's members."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request, show_id: UUID) -> Response:
        """The same JSON object that the show's socket sends."""
        return _answer(request, Board.of_show(show_id))


class EpisodeLiveView(ApiView):
    """The live figures of one episode, for its organisation's members."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request, episode_id: UUID) -> Response:
        """The same JSON object that the episode's socket sends."""
        return _answer(request, Board.of_episode(episode_id))


class PlatformLiveView(ApiView):
    """The live figures of the platform, for its staff."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request) -> Response:
        """The same JSON object that the platform's socket sends."""
        return _answer(request, PLATFORM)
