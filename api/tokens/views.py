"""API tokens: listed, made by people, revoked."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.permissions import require_person
from api.base.views import ListView, RowView
from api.tokens.serializers import (
    CreatedTokenSerializer,
    NewOrganizationTokenSerializer,
    NewTokenSerializer,
    TokenSerializer,
)
from apps.accounts.access import require_role
from apps.accounts.models import ApiToken, Organization
from apps.accounts.roles import Role
from apps.accounts.tokens import (
    create_organization_token,
    create_token,
    own_tokens,
    revoke_token,
    tokens_of_organization,
)
from podcasts.access import shows_of, shows_of_member
from podcasts.querysets import ShowQuerySet


def _wishes(data: NewTokenSerializer, shows: ShowQuerySet) -> dict[str, Any]:
    """What a service takes; ValidationError when the show is none of these."""
    data.is_valid(raise_exception=True)
    fields: dict[str, Any] = dict(data.validated_data)
    show_id: UUID | None = fields.pop("show")
    if show_id is not None and not shows.filter(pk=show_id).exists():
        error = ValidationError("There is no such show.", code="does_not_exist")
        raise ValidationError({"show": error})
    return fields | {"show_id": show_id}


def _created(token: ApiToken, secret: str, address: str) -> Response:
    body = TokenSerializer.plan().render(token) | {"secret": secret}
    # The answer to a POST is not cached anyway (RFC 9111, 3); this one by nobody's mistake either.
    headers = {"Location": address, "Cache-Control": "no-store"}
    return Response(body, status=201, headers=headers)


class TokensView(ListView[ApiToken]):
    """``/tokens/``: one's own; a token sees itself."""

    serializer_class = TokenSerializer
    read_scope = None  # whatever it may do, a token may know what that is
    write_scope = None  # no scope would be enough

    def rows(self) -> QuerySet[ApiToken]:
        return own_tokens(self.request.user)

    @extend_schema(request=NewTokenSerializer, responses={201: CreatedTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make one; only a person who has signed in can."""
        user = require_person(request.user)
        fields = _wishes(NewTokenSerializer(data=request.data), shows_of_member(user))
        token, secret = create_token(user=user, **fields)
        return _created(token, secret, reverse("api:token", args=[token.pk]))


class TokenView(RowView[ApiToken]):
    """``/tokens/<id>/``: one of one's own; for a token, itself."""

    serializer_class = TokenSerializer
    read_scope = write_scope = None  # whoever finds a token somewhere can make it harmless

    def rows(self) -> QuerySet[ApiToken]:
        return own_tokens(self.request.user)

    @extend_schema(responses=TokenSerializer)
    def get(self, request: Request, token_id: UUID) -> Response:
        """What it may do, until when, and when it was last used."""
        return self.row_answer(token_id)

    @extend_schema(operation_id="revoke_token", responses={204: None})
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke it: it works no more, at once. Lists show it for 90 days."""
        _revoke(self.rows(), token_id)
        return Response(status=204)


def _revoke(tokens: QuerySet[ApiToken], token_id: UUID) -> None:
    token = tokens.filter(pk=token_id).first()
    if token is None:
        raise Http404("There is no such token.")
    revoke_token(token=token)


class OrganizationTokensView(ListView[ApiToken]):
    """``/organizations/<id>/tokens/``: the organisation's own, for its admins."""

    serializer_class = TokenSerializer
    write_scope = None  # no scope would be enough

    def _organization(self) -> Organization:
        organization_id: UUID = self.kwargs["organization_id"]
        return require_role(self.request.user, organization_id, Role.ADMIN).organization

    def rows(self) -> QuerySet[ApiToken]:
        return tokens_of_organization(self._organization())

    @extend_schema(request=NewOrganizationTokenSerializer, responses={201: CreatedTokenSerializer})
    def post(self, request: Request, organization_id: UUID) -> Response:
        """Make one; only a person who has signed in can."""
        actor = require_role(request.user, organization_id, Role.ADMIN)
        require_person(request.user)
        data = NewOrganizationTokenSerializer(data=request.data)
        fields = _wishes(data, shows_of(actor.organization))
        role = Role(fields.pop("role"))
        token, secret = create_organization_token(actor=actor, role=role, **fields)
        address = reverse("api:organization-token", args=[organization_id, token.pk])
        return _created(token, secret, address)


class OrganizationTokenView(RowView[ApiToken]):
    """``/organizations/<id>/tokens/<id>/``."""

    serializer_class = TokenSerializer
    write_scope = None  # no scope would be enough

    def rows(self) -> QuerySet[ApiToken]:
        organization_id: UUID = self.kwargs["organization_id"]
        membership = require_role(self.request.user, organization_id, Role.ADMIN)
        return tokens_of_organization(membership.organization)

    @extend_schema(operation_id="get_organization_token", responses=TokenSerializer)
    def get(self, request: Request, organization_id: UUID, token_id: UUID) -> Response:
        """What it may do, until when, and when it was last used."""
        return self.row_answer(token_id)

    @extend_schema(operation_id="revoke_organization_token", responses={204: None})
    def delete(self, request: Request, organization_id: UUID, token_id: UUID) -> Response:
        """Revoke it, at once; only a person can. A token revokes itself at ``/tokens/``."""
        tokens = self.rows()
        require_person(request.user)
        _revoke(tokens, token_id)
        return Response(status=204)
