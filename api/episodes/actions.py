"""What is done with an episode: published, scheduled, withdrawn, restored."""

from collections.abc import Callable
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.refusals import telling_refusals
from api.base.views import RowsView, RowView
from api.episodes.serializers import EpisodeSerializer, PublishInput, ScheduleInput
from apps.accounts.roles import Role
from podcasts.access import episodes_of_member, get_episode
from podcasts.models import Episode
from podcasts.services import publishing
from podcasts.services.trash import restore_episode

_REFUSALS = {403: FORBIDDEN, 404: NOT_FOUND, 412: CHANGED}


class ActionView(RowView[Episode]):
    """One thing that an editor does; the answer is the episode as it is then."""

    serializer_class = EpisodeSerializer

    def rows(self) -> QuerySet[Episode]:
        return episodes_of_member(self.request.user)

    def acted(self, episode_id: UUID, act: Callable[[Episode], object]) -> Response:
        """Do it, as long as the episode is what the client has seen."""
        episode = get_episode(self.request.user, episode_id, Role.EDITOR)
        with telling_refusals(), self.unchanged(episode_id):
            act(episode)
        return self.row_answer(episode_id)


class PublishView(ActionView):
    """``/episodes/<id>/publish/``."""

    @extend_schema(
        operation_id="publish_episode",
        request=PublishInput,
        responses={
            200: EpisodeSerializer,
            **problems(
                _REFUSALS
                | {
                    400: INVALID + " With `future_date` for a date that is still to come.",
                    409: "`audio_missing`, `audio_failed` or `number_missing`.",
                }
            ),
        },
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Publish now, or with a date in the past.

        Without a date, an episode that was public before keeps the one it has. While its audio
        is still being prepared, it is published as soon as that is ready:
        `is_published_when_ready` says so.
        """
        data = PublishInput(data=request.data)

        def publish(episode: Episode) -> None:
            data.is_valid(raise_exception=True)
            publishing.publish_episode(episode=episode, at=data.validated_data["published_at"])

        return self.acted(episode_id, publish)


class ScheduleView(ActionView):
    """``/episodes/<id>/schedule/``."""

    @extend_schema(
        operation_id="schedule_episode",
        request=ScheduleInput,
        responses={
            200: EpisodeSerializer,
            **problems(
                _REFUSALS
                | {
                    400: INVALID + " Or `past_date`.",
                    409: "`audio_missing`, `audio_failed` or `number_missing`.",
                }
            ),
        },
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Publish by itself at a moment to come; an episode that is public is not until then."""
        data = ScheduleInput(data=request.data)

        def schedule(episode: Episode) -> None:
            data.is_valid(raise_exception=True)
            publishing.schedule_episode(episode=episode, at=data.validated_data["publish_at"])

        return self.acted(episode_id, schedule)


class UnscheduleView(ActionView):
    """``/episodes/<id>/unschedule/``."""

    @extend_schema(
        operation_id="unschedule_episode",
        request=None,
        responses={
            200: EpisodeSerializer,
            **problems(_REFUSALS | {409: "`already_public`: its moment has come meanwhile."}),
        },
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Take back a plan, or the wish to publish once the audio is ready: a draft again."""
        return self.acted(episode_id, lambda episode: publishing.cancel_schedule(episode=episode))


class UnpublishView(ActionView):
    """``/episodes/<id>/unpublish/``."""

    @extend_schema(
        operation_id="unpublish_episode",
        request=None,
        responses={
            200: EpisodeSerializer,
            **problems(_REFUSALS | {409: "`not_public`."}),
        },
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Take it out of feed and pages; date and GUID stay for when it comes back."""
        return self.acted(episode_id, lambda episode: publishing.unpublish_episode(episode=episode))


class RestoreView(RowsView[Episode]):
    """``/episodes/<id>/restore/``; what is in the trash has no tag, as nobody reads it there."""

    serializer_class = EpisodeSerializer

    def rows(self) -> QuerySet[Episode]:
        return episodes_of_member(self.request.user)

    @extend_schema(
        operation_id="restore_episode",
        request=None,
        responses={200: EpisodeSerializer, **problems({403: FORBIDDEN, 404: NOT_FOUND})},
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Take it out of the trash, as it was; doing so twice is no error.

        Only the episode: one whose show is in the trash comes back with the show.
        """
        try:
            episode = get_episode(request.user, episode_id, Role.EDITOR, in_trash=True)
        except Http404:
            get_episode(request.user, episode_id, Role.EDITOR)
        else:
            restore_episode(episode=episode)
        return self.row_answer(episode_id)
