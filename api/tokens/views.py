"""API tokens: listed, made by people, revoked."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.described_refusals import CHANGED, FORBIDDEN, INVALID, NOT_FOUND, problems
from api.base.permissions import require_person
from api.base.refusals import telling_refusals
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
    MAX_TOKENS,
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


_PERSON_ONLY = "`session_required`: a token makes and revokes no other."
_NOT_MADE = {
    400: INVALID + " Codes: `does_not_exist` for the show, `in_the_past` for `expires_at`.",
    409: f"`limit_reached`: there are {MAX_TOKENS} usable ones already.",
}
_OF_ADMINS = {403: FORBIDDEN, 404: NOT_FOUND}


class TokensView(ListView[ApiToken]):
    """``/tokens/``: one's own; a token sees itself."""

    serializer_class = TokenSerializer
    row_route = ("token",)
    read_scope = None  # whatever it may do, a token may know what that is
    write_scope = None  # no scope would be enough

    def rows(self) -> QuerySet[ApiToken]:
        return own_tokens(self.request.user)

    @extend_schema(operation_id="list_tokens", responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One page of one's own, newest first; a token finds itself."""
        return super().get(request)

    @extend_schema(
        operation_id="create_token",
        request=NewTokenSerializer,
        responses={201: CreatedTokenSerializer, **problems(_NOT_MADE | {403: _PERSON_ONLY})},
    )
    def post(self, request: Request) -> Response:
        """Make one; only a person who has signed in can."""
        user = require_person(request.user)
        fields = _wishes(NewTokenSerializer(data=request.data), shows_of_member(user))
        with telling_refusals():
            token, secret = create_token(user=user, **fields)
        return self.row_answer(token.pk, status=201, once={"secret": secret})


class TokenView(RowView[ApiToken]):
    """``/tokens/<id>/``: one of one's own; for a token, itself."""

    serializer_class = TokenSerializer
    read_scope = write_scope = None  # whoever finds a token somewhere can make it harmless

    def rows(self) -> QuerySet[ApiToken]:
        return own_tokens(self.request.user)

    @extend_schema(
        operation_id="get_token",
        responses={200: TokenSerializer, **problems({404: NOT_FOUND})},
    )
    def get(self, request: Request, token_id: UUID) -> Response:
        """What it may do, until when, and when it was last used."""
        return self.row_answer(token_id)

    @extend_schema(
        operation_id="revoke_token",
        responses={204: None, **problems({404: NOT_FOUND, 412: CHANGED})},
    )
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke it: it works no more, at once. Lists show it for 90 days."""
        with self.unchanged(token_id):
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
    row_route = ("organization-token", "organization_id")
    write_scope = None  # no scope would be enough

    def _organization(self) -> Organization:
        organization_id: UUID = self.kwargs["organization_id"]
        return require_role(self.request.user, organization_id, Role.ADMIN).organization

    def rows(self) -> QuerySet[ApiToken]:
        return tokens_of_organization(self._organization())

    @extend_schema(
        operation_id="list_organization_tokens",
        responses={200: TokenSerializer(many=True), **problems(_OF_ADMINS)},
    )
    def get(self, request: Request, organization_id: UUID) -> Response:
        """One page of the organisation's, newest first; those of its people are theirs."""
        return super().get(request)

    @extend_schema(
        operation_id="create_organization_token",
        request=NewOrganizationTokenSerializer,
        responses={
            201: CreatedTokenSerializer,
            **problems(
                _NOT_MADE
                | {
                    403: f"{FORBIDDEN} `too_strong`: the role is above your own. {_PERSON_ONLY}",
                    404: NOT_FOUND,
                }
            ),
        },
    )
    def post(self, request: Request, organization_id: UUID) -> Response:
        """Make one; only a person who has signed in can."""
        actor = require_role(request.user, organization_id, Role.ADMIN)
        require_person(request.user)
        data = NewOrganizationTokenSerializer(data=request.data)
        fields = _wishes(data, shows_of(actor.organization))
        role = Role(fields.pop("role"))
        with telling_refusals():
            token, secret = create_organization_token(actor=actor, role=role, **fields)
        return self.row_answer(token.pk, status=201, once={"secret": secret})


class OrganizationTokenView(RowView[ApiToken]):
    """``/organizations/<id>/tokens/<id>/``."""

    serializer_class = TokenSerializer
    write_scope = None  # no scope would be enough

    def rows(self) -> QuerySet[ApiToken]:
        organization_id: UUID = self.kwargs["organization_id"]
        membership = require_role(self.request.user, organization_id, Role.ADMIN)
        return tokens_of_organization(membership.organization)

    @extend_schema(
        operation_id="get_organization_token",
        responses={200: TokenSerializer, **problems(_OF_ADMINS)},
    )
    def get(self, request: Request, organization_id: UUID, token_id: UUID) -> Response:
        """What it may do, until when, and when it was last used."""
        return self.row_answer(token_id)

    @extend_schema(
        operation_id="revoke_organization_token",
        responses={
            204: None,
            **problems({403: f"{FORBIDDEN} {_PERSON_ONLY}", 404: NOT_FOUND, 412: CHANGED}),
        },
    )
    def delete(self, request: Request, organization_id: UUID, token_id: UUID) -> Response:
        """Revoke it, at once; only a person can. A token revokes itself at ``/tokens/``."""
        tokens = self.rows()
        require_person(request.user)
        with self.unchanged(token_id):
            _revoke(tokens, token_id)
        return Response(status=204)
