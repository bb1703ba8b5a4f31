"""Who asks: a program with a bearer token (RFC 6750), else the browser's session."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.accounts.actors import TokenActor
from apps.accounts.bearers import find_actor
from apps.accounts.models import ApiToken
from apps.accounts.tokens import TokenRefusedError, note_use

_SCHEME = "bearer"
_REALM = 'Bearer realm="Longwave"'
# RFC 6750, 3.1: unknown, malformed, expired and revoked ones alike.
BAD_TOKEN_CHALLENGE = f'{_REALM}, error="invalid_token"'
CHALLENGE = _REALM


def bearer_secret(header: str) -> str | None:
    """What an ``Authorization`` header names as the token; None for another scheme or none."""
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == _SCHEME else None


def actor_with(secret: str) -> TokenActor:
    """The actor behind a secret, noted as seen now; raises TokenRefusedError."""
    actor = find_actor(secret)
    note_use(actor.token)
    return actor


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer lw_…``. A session beside it does not count."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """The token's actor; AuthenticationFailed with the reason's code."""
        secret = bearer_secret(request.headers.get("Authorization", ""))
        if secret is None:
            return None
        try:
            actor = actor_with(secret)
        except TokenRefusedError as refused:
            raise AuthenticationFailed(refused.detail, refused.code) from refused
        return actor, actor.token

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401; that there is one makes it a 401."""
        secret = bearer_secret(request.headers.get("Authorization", ""))
        return CHALLENGE if secret is None else BAD_TOKEN_CHALLENGE
