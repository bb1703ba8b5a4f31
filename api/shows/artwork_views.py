"""A show's cover: another picture, or the drawn one again."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pictures import BUSY, PICTURE_BODY, PICTURE_PARSERS, picture_of
from api.base.refusals import telling_refusals
from api.base.views import RowView
from api.shows.serializers import ShowSerializer
from apps.accounts.roles import Role
from podcasts.access import get_show, shows_of_member
from podcasts.models import Show
from podcasts.services.shows import update_show

_REFUSALS = {403: FORBIDDEN, 404: NOT_FOUND, 412: CHANGED}


class ShowArtworkView(RowView[Show]):
    """``/shows/<id>/artwork/``; ``If-Match`` takes the show's tag."""

    serializer_class = ShowSerializer
    parser_classes = PICTURE_PARSERS

    def rows(self) -> QuerySet[Show]:
        return shows_of_member(self.request.user)

    @extend_schema(
        operation_id="set_show_artwork",
        request=PICTURE_BODY,
        responses={
            200: ShowSerializer,
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
    def put(self, request: Request, show_id: UUID) -> Response:
        """Give the show another cover: square, from 1400 pixels, JPEG, PNG or WebP."""
        show = get_show(request.user, show_id, Role.ADMIN)
        picture = picture_of(request)
        with telling_refusals(), self.unchanged(show_id):
            update_show(show=show, artwork=picture)
        return self.row_answer(show_id)

    @extend_schema(
        operation_id="remove_show_artwork",
        responses={200: ShowSerializer, **problems(_REFUSALS | {503: BUSY})},
    )
    def delete(self, request: Request, show_id: UUID) -> Response:
        """Remove the picture: the cover is drawn from the title again, as a show needs one."""
        show = get_show(request.user, show_id, Role.ADMIN)
        with telling_refusals(), self.unchanged(show_id):
            update_show(show=show, is_artwork_removed=True)
        return self.row_answer(show_id)
