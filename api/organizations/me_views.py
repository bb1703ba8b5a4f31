"""Who asks, what they belong to, and how much they may do at once."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.pagination import LARGEST_SIZE
from api.base.rates import WINDOW_SECONDS
from api.base.views import ApiView
from api.organizations.serializers import OrganizationSerializer, PersonSerializer
from api.tokens.serializers import TokenSerializer
from apps.accounts.access import organizations_of
from apps.accounts.actors import Actor, has_scope, person_of, token_of
from apps.accounts.models import User
from apps.accounts.scopes import Scope
from apps.media.images import LARGEST_FILE


class LimitsSerializer(serializers.Serializer[Any]):
    """How much one may ask for; the headers ``RateLimit`` say what is left of it."""

    requests = serializers.IntegerField(help_text="In a window, and at most at once.")
    window_seconds = serializers.IntegerField()
    page_size = serializers.IntegerField(help_text="Rows of a page, at most.")
    upload_bytes = serializers.IntegerField(help_text="Of an audio file, at most.")
    artwork_bytes = serializers.IntegerField(help_text="Of a picture, at most.")
    open_uploads = serializers.IntegerField(help_text="Of an organisation, at most.")
    invitations_per_hour = serializers.IntegerField()


class OwnPersonSerializer(PersonSerializer):
    """Oneself."""

    class Meta:
        model = User
        fields = ["id", "name", "email", "is_staff"]
        read_only_fields = fields


class MeSerializer(serializers.Serializer[Any]):
    """Who asks."""

    person = OwnPersonSerializer(
        allow_null=True, help_text="Null for an organisation’s token, which is nobody’s."
    )
    token = TokenSerializer(allow_null=True, help_text="Null for a session.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices),
        help_text="What may be done at all; the role in an organisation bounds it as well.",
    )
    organizations = OrganizationSerializer(
        many=True,
        help_text=f"By name, {LARGEST_SIZE} at most: `/organizations/` lists them all.",
    )
    limits = LimitsSerializer()


def _limits() -> dict[str, int]:
    return {
        "requests": settings.API_RATE,
        "window_seconds": WINDOW_SECONDS,
        "page_size": LARGEST_SIZE,
        "upload_bytes": settings.MAX_UPLOAD_BYTES,
        "artwork_bytes": LARGEST_FILE,
        "open_uploads": settings.MAX_OPEN_UPLOADS,
        "invitations_per_hour": settings.INVITATIONS_PER_HOUR,
    }


class MeView(ApiView):
    """``/me/``."""

    read_scope = None  # whatever it may do, a token may know what that is

    @extend_schema(operation_id="get_me", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The person or the token that asks, with organisations, roles, scopes and limits."""
        actor: Actor = request.user
        person, token = person_of(actor), token_of(actor)
        own = OrganizationSerializer.plan()
        return Response(
            {
                "person": OwnPersonSerializer.plan().render(person) if person else None,
                "token": TokenSerializer.plan().render(token) if token else None,
                "scopes": [scope.value for scope in Scope if has_scope(actor, scope)],
                "organizations": own.render_all(own.fetch(organizations_of(actor))[:LARGEST_SIZE]),
                "limits": _limits(),
            }
        )
