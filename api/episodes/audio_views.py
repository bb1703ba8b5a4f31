"""An episode's audio: its state, a new file for it, another attempt, forgetting a file."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.problems import ProblemError
from api.base.refusals import telling_refusals
from api.base.views import ApiView
from api.episodes.audio_serializers import AudioStateSerializer, NewAudioSerializer
from apps.accounts.roles import Role
from apps.media.access import get_asset
from apps.media.models import AssetStatus
from podcasts.access import get_episode
from podcasts.audio import dismiss_incoming, receive_audio
from podcasts.audio_state import audio_state


class EpisodeAudioView(ApiView):
    """``/episodes/<id>/audio/``."""

    @extend_schema(
        operation_id="get_episode_audio",
        responses={200: AudioStateSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, episode_id: UUID) -> Response:
        """What is served now, and how far the next file is."""
        return Response(audio_state(get_episode(request.user, episode_id)))

    @extend_schema(
        operation_id="set_episode_audio",
        request=NewAudioSerializer,
        responses={
            202: AudioStateSerializer,
            **problems(
                {
                    400: INVALID,
                    403: FORBIDDEN,
                    404: NOT_FOUND,
                    409: "`audio_failed`: this file is known to be no use.",
                }
            ),
        },
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Make an uploaded file the next audio; the current one is served until it is ready."""
        episode = get_episode(request.user, episode_id, Role.EDITOR)
        data = NewAudioSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        asset = get_asset(request.user, data.validated_data["asset"])
        with telling_refusals():
            receive_audio(episode=episode, asset=asset)
        return Response(audio_state(get_episode(request.user, episode_id)), status=202)

    @extend_schema(
        operation_id="dismiss_episode_audio",
        responses={204: None, **problems({403: FORBIDDEN, 404: NOT_FOUND})},
    )
    def delete(self, request: Request, episode_id: UUID) -> Response:
        """Forget the next file, being prepared or failed; what is served stays."""
        dismiss_incoming(episode=get_episode(request.user, episode_id, Role.EDITOR))
        return Response(status=204)


class RetryAudioView(ApiView):
    """``/episodes/<id>/audio/retry/``."""

    @extend_schema(
        operation_id="retry_episode_audio",
        request=None,
        responses={
            202: AudioStateSerializer,
            **problems(
                {
                    403: FORBIDDEN,
                    404: NOT_FOUND,
                    409: "`audio_not_failed`: there is no failed file. `audio_failed`: the file "
                    "itself is the reason (`can_retry` is false).",
                }
            ),
        },
    )
    def post(self, request: Request, episode_id: UUID) -> Response:
        """Prepare the next file once more, after it failed."""
        episode = get_episode(request.user, episode_id, Role.EDITOR)
        asset = episode.incoming_audio
        if asset is None or asset.status != AssetStatus.FAILED:
            detail = "There is no file whose preparation failed."
            raise ProblemError(409, "audio_not_failed", detail)
        with telling_refusals():
            receive_audio(episode=episode, asset=asset)
        return Response(audio_state(get_episode(request.user, episode_id)), status=202)
