"""Shows: listed, read, changed, thrown away."""

from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pagination import Orderings
from api.base.pictures import BUSY
from api.base.problems import ProblemError
from api.base.refusals import telling_refusals
from api.base.views import ListView, RowView
from api.organizations.standing import OfOrganization
from api.shows.filters import ShowFilters
from api.shows.serializers import NewShowInput, ShowInput, ShowSerializer
from apps.accounts.actors import person_of
from apps.accounts.models import Membership
from apps.accounts.roles import Role
from podcasts.access import episodes_of, get_show, shows_of_member
from podcasts.models import Show
from podcasts.services.handles import propose_handle
from podcasts.services.shows import create_show, update_show
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

    @extend_schema(operation_id="list_shows", responses=ShowSerializer(many=True))
    def get(self, request: Request, *args: Any, **parts: Any) -> Response:
        """One page of the shows."""
        return super().get(request)


class OrganizationShowsView(OfOrganization, ShowsView):
    """``/organizations/<id>/shows/``."""

    row_route = ("show",)

    def rows(self) -> QuerySet[Show]:
        return super().rows().filter(organization=self.kwargs["organization_id"])

    @extend_schema(
        operation_id="list_organization_shows",
        responses={200: ShowSerializer(many=True), **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, *args: Any, **parts: Any) -> Response:
        """One page of an organisation's shows."""
        self.membership()
        return super().get(request)

    @extend_schema(
        operation_id="create_show",
        request=NewShowInput,
        responses={
            201: ShowSerializer,
            **problems(
                {
                    400: INVALID + " Codes: `handle_taken`, `handle_reserved`, `category_unknown`, "
                    "`language_unknown`, `time_zone_unknown`, `delivery_impossible`.",
                    403: FORBIDDEN,
                    404: NOT_FOUND,
                    503: BUSY,
                }
            ),
        },
    )
    def post(self, request: Request, organization_id: UUID) -> Response:
        """Make a show; its cover is drawn from the title until it gets a picture."""
        membership = self.membership(Role.ADMIN)
        data = NewShowInput(data=request.data)
        data.is_valid(raise_exception=True)
        fields = _usual(membership, self.request) | data.validated_data
        fields.setdefault("handle", propose_handle(fields["title"]))
        if not fields["handle"]:
            message = "No handle can be made from this title: give one."
            raise ValidationError({"handle": ValidationError(message, code="required")})
        with telling_refusals():
            show = create_show(organization=membership.organization, **fields)
        return self.row_answer(show.pk, status=201)


def _usual(membership: Membership, request: Request) -> dict[str, str]:
    """What the studio proposes to whoever makes a show."""
    person = person_of(request.user)
    owner = {"owner_name": person.name, "owner_email": person.email} if person else {}
    return {"author": membership.organization.name, **owner}


class ShowView(RowView[Show]):
    """``/shows/<id>/``."""

    serializer_class = ShowSerializer

    def known_parameters(self) -> tuple[str, ...]:
        """A deletion is confirmed."""
        own = ("confirm",) if self.request.method == "DELETE" else ()
        return (*super().known_parameters(), *own)

    def rows(self) -> QuerySet[Show]:
        return shows_of_member(self.request.user)

    @extend_schema(
        operation_id="get_show", responses={200: ShowSerializer, **problems({404: NOT_FOUND})}
    )
    def get(self, request: Request, show_id: UUID) -> Response:
        """A show."""
        return self.row_answer(show_id)

    @extend_schema(
        operation_id="update_show",
        request=ShowInput,
        responses={
            200: ShowSerializer,
            **problems({400: INVALID, 403: FORBIDDEN, 404: NOT_FOUND, 412: CHANGED, 503: BUSY}),
        },
    )
    def patch(self, request: Request, show_id: UUID) -> Response:
        """Change what is named and nothing else; a handle that is replaced redirects for ever."""
        show = get_show(request.user, show_id, Role.ADMIN)
        data = ShowInput(show, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        with telling_refusals(), self.unchanged(show_id):
            update_show(show=show, **data.validated_data)
        return self.row_answer(show_id)

    @extend_schema(
        operation_id="delete_show",
        parameters=[
            OpenApiParameter("confirm", str, description="The handle of a show with episodes.")
        ],
        responses={
            204: None,
            **problems(
                {
                    403: FORBIDDEN,
                    404: NOT_FOUND,
                    409: "`confirmation_required`, `not_the_handle`: it has episodes.",
                    412: CHANGED,
                }
            ),
        },
    )
    def delete(self, request: Request, show_id: UUID) -> Response:
        """Put a show into the trash, from where it can be restored for 30 days.

        One that has episodes only with its handle in ``?confirm=``.
        """
        show = get_show(request.user, show_id, Role.ADMIN)
        if episodes_of(show).exists():
            _require_handle(show, request.query_params.get("confirm"))
        with self.unchanged(show_id):
            delete_show(show=show)
        return Response(status=204)


def _require_handle(show: Show, typed: str | None) -> None:
    """As in the studio, where it is typed: so that no show goes by a slip."""
    if typed is None:
        detail = f"This show has episodes: repeat the request with ?confirm={show.handle}."
        raise ProblemError(409, "confirmation_required", detail)
    if typed != show.handle:
        detail = f"“{typed[:100]}” is not the show’s handle, which is {show.handle}."
        raise ProblemError(409, "not_the_handle", detail)
