"""What the live sockets say, for whoever has to poll. The streams: ``api.live.streams``."""

import hashlib
import json
from uuid import UUID

from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
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


def _answer(request: Request, board: Board) -> HttpResponseBase:
    """304 when a reader would see no difference."""
    require_board(request.user, board)
    message = json.loads(current_text(board))
    etag = f'"{hashlib.sha256(json.dumps(essence(message)).encode()).hexdigest()[:32]}"'
    # Asked again each time, and kept by the person's own browser only.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    plain: HttpRequest = request._request
    unchanged = get_conditional_response(plain, etag=etag)
    if unchanged is not None:
        return HttpResponseNotModified(headers=headers)
    return Response(message, headers=headers)


class OrganizationLiveView(ApiView):
    """The live figures of all shows of an organisation, for its members."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request, organization_id: UUID) -> HttpResponseBase:
        """The same JSON object that the organisation's socket sends."""
        return _answer(request, Board.of_organization(organization_id))


class ShowLiveView(ApiView):
    """The live figures of one show, for its organisation's members."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request, show_id: UUID) -> HttpResponseBase:
        """The same JSON object that the show's socket sends."""
        return _answer(request, Board.of_show(show_id))


class EpisodeLiveView(ApiView):
    """The live figures of one episode, for its organisation's members."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request, episode_id: UUID) -> HttpResponseBase:
        """The same JSON object that the episode's socket sends."""
        return _answer(request, Board.of_episode(episode_id))


class PlatformLiveView(ApiView):
    """The live figures of the platform, for its staff."""

    read_scope = Scope.STATS

    @extend_schema(responses=LIVE_STATE)
    def get(self, request: Request) -> HttpResponseBase:
        """The same JSON object that the platform's socket sends."""
        return _answer(request, PLATFORM)
