"""One change to many episodes of a show."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.problems import problem
from api.base.refusals import refusal_of
from api.base.views import ApiView
from api.episodes.bulk_serializers import BulkAction, BulkAnswerSerializer, BulkInput
from apps.accounts.roles import Role
from podcasts.access import get_show
from podcasts.services import publishing
from podcasts.services.bulk import Change, Outcome, change_each
from podcasts.services.episodes import update_episode
from podcasts.services.trash import delete_episode, restore_episode


class BulkView(ApiView):
    """``/shows/<id>/episodes/bulk/``."""

    @extend_schema(
        operation_id="change_episodes",
        request=BulkInput,
        responses={
            200: BulkAnswerSerializer,
            **problems({400: INVALID, 403: FORBIDDEN, 404: NOT_FOUND}),
        },
    )
    def post(self, request: Request, show_id: UUID) -> Response:
        """Do one thing with up to 100 episodes of a show; each succeeds or fails by itself.

        The answer is 200 even when all are refused: `results` says how each fared. What was
        changed is committed together, at the end.
        """
        show = get_show(request.user, show_id, Role.EDITOR)
        data = BulkInput(data=request.data)
        data.is_valid(raise_exception=True)
        asked = data.validated_data
        action = BulkAction(asked["action"])
        outcomes = change_each(
            show=show,
            episode_ids=asked["episodes"],
            change=_change(action, asked),
            in_trash=action == BulkAction.RESTORE,
        )
        results = [_told(outcome) for outcome in outcomes]
        done = sum(result["is_done"] for result in results)
        return Response(
            {"done_count": done, "refused_count": len(results) - done, "results": results}
        )


def _change(action: BulkAction, asked: dict[str, Any]) -> Change:
    match action:
        case BulkAction.PUBLISH:
            at = asked["published_at"]
            return lambda episode: publishing.publish_episode(episode=episode, at=at)
        case BulkAction.SCHEDULE:
            at = asked["publish_at"]
            return lambda episode: publishing.schedule_episode(episode=episode, at=at)
        case BulkAction.UPDATE:
            return lambda episode: update_episode(episode=episode, **asked["changes"])
        case BulkAction.UNSCHEDULE:
            return lambda episode: publishing.cancel_schedule(episode=episode)
        case BulkAction.UNPUBLISH:
            return lambda episode: publishing.unpublish_episode(episode=episode)
        case BulkAction.DELETE:
            return lambda episode: delete_episode(episode=episode)
        case BulkAction.RESTORE:
            return lambda episode: restore_episode(episode=episode)


def _told(outcome: Outcome) -> dict[str, Any]:
    told = None
    if outcome.refusal is not None:
        refusal = refusal_of(outcome.refusal)
        told = problem(refusal.status, refusal.code, refusal.detail, errors=refusal.errors).data
    return {"id": outcome.episode_id, "is_done": told is None, "problem": told}
