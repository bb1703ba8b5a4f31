"""An episode's own picture."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pictures import BUSY, PICTURE_BODY, PICTURE_PARSERS, picture_of
from api.episodes.actions import ActionView
from api.episodes.serializers import EpisodeSerializer
from podcasts.services.episodes import update_episode

_REFUSALS = {403: FORBIDDEN, 404: NOT_FOUND, 412: CHANGED}


class EpisodeArtworkView(ActionView):
    """``/episodes/<id>/artwork/``."""

    parser_classes = PICTURE_PARSERS

    @extend_schema(
        operation_id="set_episode_artwork",
        request=PICTURE_BODY,
        responses={
            200: EpisodeSerializer,
            **problems(
                _REFUSALS
                | {
                    400: INVALID + " Codes: `not-a-picture`, `not-square`, `too-small`, "
                    "`too-many-pixels`, `damaged`.",
                    413: "`too_large`: more than 20 MB.",
                    503: BUSY,
                }
            ),
        },
    )
    def put(self, request: Request, episode_id: UUID) -> Response:
        """Give the episode a picture: square, 1400 to 3000 pixels wide, JPEG, PNG or WebP.

        As the file `artwork` of a form, or as the body itself. Larger ones are made smaller.
        """
        return self.acted(
            episode_id,
            lambda episode: update_episode(episode=episode, artwork=picture_of(request)),
        )

    @extend_schema(
        operation_id="remove_episode_artwork",
        responses={200: EpisodeSerializer, **problems(_REFUSALS)},
    )
    def delete(self, request: Request, episode_id: UUID) -> Response:
        """Show the show's picture again; not having one is no error."""
        return self.acted(
            episode_id, lambda episode: update_episode(episode=episode, is_artwork_removed=True)
        )
