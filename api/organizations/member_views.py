"""Members: listed, given another role, removed, and leaving by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pagination import Orderings
from api.base.refusals import telling_refusals
from api.base.views import ListView, RowView
from api.organizations.filters import MemberFilters
from api.organizations.serializers import MemberInput, MemberSerializer
from api.organizations.standing import SESSION_REQUIRED, OfOrganization, require_giver
from apps.accounts.access import get_member, organization_members
from apps.accounts.models import Membership
from apps.accounts.roles import Role
from apps.accounts.services import change_role, lock_members, remove_member

_REFUSALS = {
    403: f"{FORBIDDEN} `too_strong`: a role above your own is given, changed or ended. "
    + SESSION_REQUIRED,
    404: NOT_FOUND,
    409: "`last_owner`: nobody would own the organisation.",
    412: CHANGED,
}


class MembersView(OfOrganization, ListView[Membership]):
    """``/organizations/<id>/members/``: who belongs to it, the first one first."""

    serializer_class = MemberSerializer
    filterset_class = MemberFilters
    orderings: ClassVar = Orderings(
        "created_at", {"created_at": "created_at", "name": "user__name", "email": "user__email"}
    )

    def rows(self) -> QuerySet[Membership]:
        return organization_members(self.membership().organization)

    @extend_schema(
        operation_id="list_members",
        responses={200: MemberSerializer(many=True), **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One page of the members."""
        return super().get(request)


class MemberView(OfOrganization, RowView[Membership]):
    """``/organizations/<id>/members/<id>/``."""

    serializer_class = MemberSerializer

    def rows(self) -> QuerySet[Membership]:
        return organization_members(self.membership().organization)

    @contextmanager
    def unchanged(self, row_id: UUID | int) -> Iterator[None]:
        """As for every row, but locked in the services' order: else two could wait for ever."""
        with transaction.atomic():
            lock_members(self.membership().organization)
            with super().unchanged(row_id):
                yield

    @extend_schema(
        operation_id="get_member",
        responses={200: MemberSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, organization_id: UUID, member_id: int) -> Response:
        """A member."""
        return self.row_answer(member_id)

    @extend_schema(
        operation_id="change_member_role",
        request=MemberInput,
        responses={200: MemberSerializer, **problems({400: INVALID} | _REFUSALS)},
    )
    def patch(self, request: Request, organization_id: UUID, member_id: int) -> Response:
        """Give a member another role; for admins, who can't make or unmake owners."""
        actor = self.membership(Role.ADMIN)
        member = get_member(actor.organization, member_id)
        data = MemberInput(data=request.data)
        data.is_valid(raise_exception=True)
        role = Role(data.validated_data["role"])
        require_giver(request.user, role)
        with telling_refusals(), self.unchanged(member_id):
            member = get_member(actor.organization, member_id)
            change_role(actor=actor, membership=member, role=role)
        return self.row_answer(member_id)

    @extend_schema(operation_id="remove_member", responses={204: None, **problems(_REFUSALS)})
    def delete(self, request: Request, organization_id: UUID, member_id: int) -> Response:
        """End a membership: an admin somebody's, anybody their own."""
        actor = self.membership()
        if actor.pk != member_id:
            actor = self.membership(Role.ADMIN)
        get_member(actor.organization, member_id)
        with telling_refusals(), self.unchanged(member_id):
            remove_member(actor=actor, membership=get_member(actor.organization, member_id))
        return Response(status=204)
