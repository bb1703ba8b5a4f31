"""Seasons and numbers of a show's episodes: which there are, and in which order."""

from dataclasses import asdict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.problems import ProblemError
from api.base.views import ApiView
from api.episodes.season_serializers import (
    OrderedSeasonSerializer,
    OrderInput,
    SeasonsSerializer,
)
from apps.accounts.roles import Role
from podcasts.access import get_show
from podcasts.services.numbering import (
    OrderRefusedError,
    reorder_season,
    seasons_of,
    suggested_numbers,
)


class SeasonsView(ApiView):
    """``/shows/<id>/seasons/``."""

    @extend_schema(
        operation_id="list_show_seasons",
        responses={200: SeasonsSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, show_id: UUID) -> Response:
        """The seasons of a show, and the numbers that suit its next episode."""
        show = get_show(request.user, show_id)
        season, number = suggested_numbers(show)
        return Response(
            {
                "seasons": [asdict(found) for found in seasons_of(show)],
                "suggested": {"season_number": season, "episode_number": number},
            }
        )


class ReorderView(ApiView):
    """``/shows/<id>/episodes/reorder/``."""

    @extend_schema(
        operation_id="reorder_episodes",
        request=OrderInput,
        responses={
            200: OrderedSeasonSerializer,
            **problems(
                {
                    400: INVALID + " Codes: `not_found`, `duplicate`, `other_season`, "
                    "`not_full`, `missing`.",
                    403: FORBIDDEN,
                    404: NOT_FOUND,
                }
            ),
        },
    )
    def post(self, request: Request, show_id: UUID) -> Response:
        """Number the full episodes of a season 1, 2, 3 … in the order in which they are named.

        All that have a number already must be named; those without one may be. Either all get
        their numbers or none does.
        """
        show = get_show(request.user, show_id, Role.EDITOR)
        data = OrderInput(data=request.data)
        data.is_valid(raise_exception=True)
        season, ids = data.validated_data["season_number"], data.validated_data["episodes"]
        try:
            ordered = reorder_season(show=show, season_number=season, episode_ids=ids)
        except OrderRefusedError as error:
            raise _refused(error) from error
        numbered = [
            {"id": episode.pk, "episode_number": episode.episode_number} for episode in ordered
        ]
        return Response({"season_number": season, "episodes": numbered})


def _refused(error: OrderRefusedError) -> ProblemError:
    only_one = len(error.misplaced) == 1
    detail = error.misplaced[0].message if only_one else f"{error}."
    refusal = ProblemError(400, "invalid", detail)
    refusal.errors = [
        {
            "pointer": "#/episodes" if wrong.position is None else f"#/episodes/{wrong.position}",
            "code": wrong.code,
            "detail": wrong.message,
        }
        for wrong in error.misplaced
    ]
    return refusal
