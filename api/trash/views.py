"""The trash of an organisation, and taking a show out of it."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pagination import PAGING, CursorPagination, Orderings
from api.base.parameters import ParameterError, wanted_fields
from api.base.views import RowsView
from api.organizations.standing import OfOrganization
from api.shows.serializers import ShowSerializer
from api.trash.serializers import TrashedEpisodeSerializer, TrashedShowSerializer
from apps.accounts.roles import Role
from podcasts.access import get_show, shows_of_member, trash_of
from podcasts.models import Episode, Show
from podcasts.services.trash import restore_show

_KINDS = ("show", "episode")


class TrashView(OfOrganization):
    """``/organizations/<id>/trash/``: what was deleted last, first."""

    # Of the longer rows: a show's has the same fields.
    serializer_class = TrashedEpisodeSerializer
    pagination_class = CursorPagination
    parameters: ClassVar = (*PAGING, "fields", "kind")
    orderings: ClassVar = Orderings("-deleted_at", {"deleted_at": "deleted_at"})

    @extend_schema(
        operation_id="list_trash",
        parameters=[OpenApiParameter("kind", str, enum=_KINDS, description="Only these.")],
        responses={
            200: TrashedEpisodeSerializer(many=True),
            **problems({400: INVALID, 404: NOT_FOUND}),
        },
    )
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One page of deleted shows and episodes; a show's own go and come back with it."""
        shows, episodes = trash_of(self.membership().organization)
        plans, rows = self._plans(), {"show": shows, "episode": episodes}
        paginator = CursorPagination()
        page = paginator.paginate_merged(
            [plans[rows[kind].model].fetch(rows[kind]) for kind in self._kinds()], request, self
        )
        rendered: dict[UUID, Any] = {}
        for model, plan in plans.items():
            found = [row for row in page if type(row) is model]
            rendered |= zip((row.pk for row in found), plan.render_all(found), strict=True)
        return paginator.get_paginated_response([rendered[row.pk] for row in page])

    def _plans(self) -> dict[Any, Any]:
        wanted = wanted_fields(self.request, self.serializer_class)
        # Of a show's row there is nothing to choose within ``show``.
        outer = None if wanted is None else frozenset(name.partition(".")[0] for name in wanted)
        return {
            Show: TrashedShowSerializer.plan(outer),
            Episode: TrashedEpisodeSerializer.plan(wanted),
        }

    def _kinds(self) -> tuple[str, ...]:
        kind = self.request.query_params.get("kind")
        if kind is None:
            return _KINDS
        if kind not in _KINDS:
            message = "There are these kinds: " + ", ".join(_KINDS) + "."
            raise ParameterError("kind", "invalid_choice", message)
        return (kind,)


class RestoreShowView(RowsView[Show]):
    """``/shows/<id>/restore/``."""

    serializer_class = ShowSerializer

    def rows(self) -> QuerySet[Show]:
        return shows_of_member(self.request.user)

    @extend_schema(
        operation_id="restore_show",
        request=None,
        responses={200: ShowSerializer, **problems({403: FORBIDDEN, 404: NOT_FOUND})},
    )
    def post(self, request: Request, show_id: UUID) -> Response:
        """Take a show out of the trash, exactly as it was; doing it twice is no error."""
        try:
            show = get_show(request.user, show_id, Role.ADMIN, in_trash=True)
        except Http404:
            get_show(request.user, show_id, Role.ADMIN)
        else:
            restore_show(show=show)
        return self.row_answer(show_id)
