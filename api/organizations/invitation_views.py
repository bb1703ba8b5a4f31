"""Invitations: listed, sent, withdrawn, accepted."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pagination import Orderings
from api.base.refusals import telling_refusals
from api.base.views import ListView, RowsView, RowView
from api.organizations.serializers import (
    AcceptanceInput,
    InvitationInput,
    InvitationSerializer,
    OrganizationSerializer,
)
from api.organizations.standing import (
    PERSON_REQUIRED,
    SESSION_REQUIRED,
    OfOrganization,
    require_giver,
    require_unlimited_person,
)
from apps.accounts.access import organizations_of
from apps.accounts.actors import token_of
from apps.accounts.invitations import accept, invite, open_invitations, withdraw
from apps.accounts.models import Invitation, Organization
from apps.accounts.roles import Role


class InvitationsView(OfOrganization, ListView[Invitation]):
    """``/organizations/<id>/invitations/``: the open ones, for admins."""

    serializer_class = InvitationSerializer
    row_route = ("invitation", "organization_id")
    orderings: ClassVar = Orderings(
        "-created_at",
        {"created_at": "created_at", "expires_at": "expires_at", "email": "email"},
    )

    def rows(self) -> QuerySet[Invitation]:
        return open_invitations(self.membership(Role.ADMIN).organization)

    @extend_schema(
        operation_id="list_invitations",
        responses={
            200: InvitationSerializer(many=True),
            **problems({403: FORBIDDEN, 404: NOT_FOUND}),
        },
    )
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One page of what was neither accepted nor withdrawn; expired ones included."""
        return super().get(request)

    @extend_schema(
        operation_id="send_invitation",
        request=InvitationInput,
        responses={
            201: InvitationSerializer,
            **problems(
                {
                    400: INVALID,
                    403: f"{FORBIDDEN} `too_strong`: the role is above your own. "
                    + SESSION_REQUIRED,
                    404: NOT_FOUND,
                    409: "`already_member`.",
                    429: "`too_many`: as many within this hour as one may send.",
                    503: "`not_sent`: the mail server did not take it; nobody is invited.",
                }
            ),
        },
    )
    def post(self, request: Request, organization_id: UUID) -> Response:
        """Send one by mail, in place of an earlier one to the same address."""
        actor = self.membership(Role.ADMIN)
        data = InvitationInput(data=request.data)
        data.is_valid(raise_exception=True)
        email, role = data.validated_data["email"], Role(data.validated_data["role"])
        require_giver(request.user, role)
        token = token_of(request.user)
        maker = token.created_by_id if token is not None else None
        with telling_refusals():
            invitation = invite(actor=actor, email=email, role=role, token_of=maker)
        return self.row_answer(invitation.pk, status=201)


class InvitationView(OfOrganization, RowView[Invitation]):
    """``/organizations/<id>/invitations/<id>/``."""

    serializer_class = InvitationSerializer

    def rows(self) -> QuerySet[Invitation]:
        return open_invitations(self.membership(Role.ADMIN).organization)

    @extend_schema(
        operation_id="get_invitation",
        responses={200: InvitationSerializer, **problems({403: FORBIDDEN, 404: NOT_FOUND})},
    )
    def get(self, request: Request, organization_id: UUID, invitation_id: UUID) -> Response:
        """An open invitation."""
        return self.row_answer(invitation_id)

    @extend_schema(
        operation_id="withdraw_invitation",
        responses={204: None, **problems({403: FORBIDDEN, 404: NOT_FOUND, 412: CHANGED})},
    )
    def delete(self, request: Request, organization_id: UUID, invitation_id: UUID) -> Response:
        """Take it back: its link no longer works."""
        organization = self.membership(Role.ADMIN).organization
        if not open_invitations(organization).filter(pk=invitation_id).exists():
            raise Http404("There is no such invitation.")
        with self.unchanged(invitation_id):
            withdraw(organization=organization, invitation_id=invitation_id)
        return Response(status=204)


class AcceptInvitationView(RowsView[Organization]):
    """``/invitations/accept/``."""

    serializer_class = OrganizationSerializer

    def rows(self) -> QuerySet[Organization]:
        return organizations_of(self.request.user)

    @extend_schema(
        operation_id="accept_invitation",
        request=AcceptanceInput,
        responses={
            200: OrganizationSerializer,
            **problems(
                {
                    400: INVALID,
                    403: PERSON_REQUIRED,
                    404: "`invitation_over`: withdrawn, too old, or never sent.",
                    409: "`invitation_used`: by somebody else.",
                }
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Become a member; a repeated call answers the same."""
        person = require_unlimited_person(request.user)
        data = AcceptanceInput(data=request.data)
        data.is_valid(raise_exception=True)
        with telling_refusals():
            membership = accept(user=person, token=data.validated_data["token"])
        return self.row_answer(membership.organization_id)
