"""API tokens as programs see them; the secret is in one answer only."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from api.base.fields import IdField
from api.base.rows import Computed, RowSerializer, told_once
from apps.accounts.models import ApiToken
from apps.accounts.roles import TOKEN_ROLES, Role
from apps.accounts.scopes import Scope
from apps.accounts.tokens import DEFAULT_LIFETIME
from apps.core.clock import now

TOKEN_STATUSES = ["active", "expired", "revoked"]


def _a_year_from_now() -> datetime:
    return now() + DEFAULT_LIFETIME


class NewTokenSerializer(serializers.Serializer[Any]):
    """What a token is for, and what it may do."""

    name = serializers.CharField(max_length=100, help_text="Where it will be used.")
    scopes = serializers.MultipleChoiceField(
        choices=Scope.choices,
        allow_empty=False,
        help_text="Each stands for itself: `write` does not include `read`.",
    )
    show = IdField(
        required=False, allow_null=True, default=None, help_text="The only show it may touch."
    )
    expires_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=_a_year_from_now,
        help_text="A year from now unless given; null for never.",
    )


class NewOrganizationTokenSerializer(NewTokenSerializer):
    """As for a person's; an organisation's token has a role of its own."""

    role = serializers.ChoiceField(
        choices=[(role.value, role.label) for role in TOKEN_ROLES],
        default=Role.EDITOR.value,
        help_text="Not stronger than your own.",
    )


def _status(token: ApiToken) -> str:
    return token.status(now())


class TokenSerializer(RowSerializer[ApiToken]):
    """A token without its secret."""

    show = IdField(
        source="show_id", allow_null=True, help_text="The only show it may touch; null for all."
    )
    status = Computed(
        _status,
        serializers.ChoiceField(choices=TOKEN_STATUSES),
        reads=["revoked_at", "expires_at"],
    )

    class Meta:
        model = ApiToken
        fields = [
            "id",
            "name",
            "prefix",
            "organization",
            "role",
            "scopes",
            "show",
            "status",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        ]
        read_only_fields = fields


class CreatedTokenSerializer(TokenSerializer):
    """The one answer that holds the secret."""

    secret = told_once(
        serializers.CharField(
            allow_null=True,
            help_text="Shown this once: only its hash is kept. Null when the request is repeated.",
        )
    )

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "secret"]
        read_only_fields = fields
