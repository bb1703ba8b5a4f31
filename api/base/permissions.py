"""What a token may be used for at all; whose things it may touch is asked at the doors."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from api.base.authentication import CHALLENGE
from apps.accounts.actors import Actor, TokenActor, has_scope, person_of
from apps.accounts.models import User
from apps.accounts.scopes import Scope

_SAFE = ("read_scope", Scope.READ)
_CHANGING = ("write_scope", Scope.WRITE)


class InsufficientScopeError(PermissionDenied):
    """403 with the code ``insufficient_scope`` and the challenge of RFC 6750, 3.1."""

    def __init__(self, scope: Scope) -> None:
        detail = f"This needs a token with the scope “{scope.value}”."
        super().__init__(detail, "insufficient_scope")
        self.auth_header = f'{CHALLENGE}, error="insufficient_scope", scope="{scope.value}"'


def require_scope(actor: Actor, scope: Scope) -> None:
    """Raise InsufficientScopeError unless the actor may do this kind of thing."""
    if not has_scope(actor, scope):
        raise InsufficientScopeError(scope)


class HasScope(BasePermission):
    """The scope that a view names as its ``read_scope`` or ``write_scope``; None: any will do."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or InsufficientScopeError."""
        name, usual = _SAFE if request.method in SAFE_METHODS else _CHANGING
        scope: Scope | None = getattr(view, name, usual)
        if scope is not None:
            require_scope(request.user, scope)
        return True


def require_person(actor: Actor) -> User:
    """The person who has signed in; a token, whatever it may do, gets ``session_required``."""
    person = person_of(actor)
    if person is None or isinstance(actor, TokenActor):
        raise PermissionDenied("Only a person who has signed in can do this.", "session_required")
    return person
