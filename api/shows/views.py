"""Shows: listed, read, changed, thrown away."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.pagination import Orderings
from api.base.views import ListView, RowView
from api.shows.filters import ShowFilters
from api.shows.serializers import ShowInput, ShowSerializer
from apps.accounts.roles import Role
from podcasts.access import get_show, shows_of_member
from podcasts.models import Show
from podcasts.services.shows import update_show
from podcasts.services.trash import delete_show


class ShowsView(ListView[Show]):
    """``/shows/``: those of all organisations that the actor belongs to, newest first."""

    serializer_class = ShowSerializer
    filterset_class = ShowFilters
    orderings: ClassVar = Orderings(
        "-created_at", {"created_at": "created_at", "updated_at": "updated_at", "title": "title"}
    )

    def rows(self) -> QuerySet[Show]:
        return shows_of_member(self.request.user)


class ShowView(RowView[Show]):
    """``/shows/<id>/``."""

    serializer_class = ShowSerializer

    def rows(self) -> QuerySet[Show]:
        return shows_of_member(self.request.user)

    def get(self, request: Request, show_id: UUID) -> Response:
        """A show."""
        return self.row_answer(show_id)

    @extend_schema(request=ShowInput)
    def patch(self, request: Request, show_id: UUID) -> Response:
        """Change what is named and nothing else; a handle that is replaced redirects for ever."""
        show = get_show(request.user, show_id, Role.ADMIN)
        data = ShowInput(show, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        with self.unchanged(show_id):
            update_show(show=show, **data.validated_data)
        return self.row_answer(show_id)

    def delete(self, request: Request, show_id: UUID) -> Response:
        """Put a show into the trash, from where it can be restored for 30 days."""
        show = get_show(request.user, show_id, Role.ADMIN)
        with self.unchanged(show_id):
            delete_show(show=show)
        return Response(status=204)
