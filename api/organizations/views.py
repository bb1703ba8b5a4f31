"""Organisations: listed, founded, read, renamed."""

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.pagination import Orderings
from api.base.refusals import telling_refusals
from api.base.views import ListView, RowView
from api.organizations.serializers import OrganizationInput, OrganizationSerializer
from api.organizations.standing import (
    PERSON_REQUIRED,
    OfOrganization,
    require_unlimited_person,
)
from apps.accounts.access import organizations_of
from apps.accounts.models import Organization
from apps.accounts.roles import Role
from apps.accounts.services import (
    FOUNDED_AN_HOUR,
    MAX_OWNED,
    found_organization,
    rename_organization,
)


class OrganizationsView(ListView[Organization]):
    """``/organizations/``: those that one belongs to, by name."""

    serializer_class = OrganizationSerializer
    row_route = ("organization",)
    orderings: ClassVar = Orderings("name", {"name": "name", "created_at": "created_at"})

    def rows(self) -> QuerySet[Organization]:
        return organizations_of(self.request.user)

    @extend_schema(operation_id="list_organizations", responses=OrganizationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One page of one's organisations; none for a token that is for one show."""
        return super().get(request)

    @extend_schema(
        operation_id="found_organization",
        request=OrganizationInput,
        responses={
            201: OrganizationSerializer,
            **problems(
                {
                    400: INVALID,
                    403: PERSON_REQUIRED,
                    409: f"`limit_reached`: one may own {MAX_OWNED}.",
                    429: f"`too_many`: one may found {FOUNDED_AN_HOUR} within an hour.",
                }
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Found one, as its owner; an organisation's token can't."""
        owner = require_unlimited_person(request.user)
        data = OrganizationInput(data=request.data)
        data.is_valid(raise_exception=True)
        with telling_refusals():
            founded = found_organization(owner=owner, name=data.validated_data["name"])
        return self.row_answer(founded.pk, status=201)


class OrganizationView(OfOrganization, RowView[Organization]):
    """``/organizations/<id>/``."""

    serializer_class = OrganizationSerializer

    def rows(self) -> QuerySet[Organization]:
        return organizations_of(self.request.user)

    @extend_schema(
        operation_id="get_organization",
        responses={200: OrganizationSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, organization_id: UUID) -> Response:
        """An organisation."""
        return self.row_answer(organization_id)

    @extend_schema(
        operation_id="rename_organization",
        request=OrganizationInput,
        responses={
            200: OrganizationSerializer,
            **problems({400: INVALID, 403: FORBIDDEN, 404: NOT_FOUND, 412: CHANGED}),
        },
    )
    def patch(self, request: Request, organization_id: UUID) -> Response:
        """Give it another name; for owners."""
        membership = self.membership(Role.OWNER)
        data = OrganizationInput(membership.organization, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        with self.unchanged(organization_id):
            rename_organization(
                organization=membership.organization,
                name=data.validated_data.get("name", membership.organization.name),
            )
        return self.row_answer(organization_id)
