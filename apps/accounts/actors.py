"""Who asks: a signed-in person, nobody, or an API token."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final
from uuid import UUID

from apps.accounts.models import ApiToken, User
from apps.accounts.scopes import Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class TokenActor:
    """A program with a token, in the place of a request's user.

    A person's token acts as that person, an organisation's for itself. It is never the platform's
    staff, whoever made it.
    """

    is_authenticated: Final = True
    is_anonymous: Final = False
    is_active: Final = True
    is_staff: Final = False
    is_superuser: Final = False

    def __init__(
        self, token: ApiToken, *, digest: str = "", scopes: Collection[str] | None = None
    ) -> None:
        """``digest`` and ``scopes`` are those of what the program showed, where it isn't the token.

        An app of somebody else shows a secret that lasts an hour, and may have fewer scopes.
        """
        self.token = token
        self.digest = digest or token.secret_sha256
        self._scopes = frozenset(token.scopes if scopes is None else scopes)

    @property
    def pk(self) -> UUID:
        """The token's: limits are kept by it."""
        return self.token.pk

    @property
    def person(self) -> User | None:
        """Whose token it is; None for an organisation's."""
        return self.token.user

    def has_scope(self, scope: Scope) -> bool:
        """Whether the token was given this scope."""
        return scope in self._scopes

    def __str__(self) -> str:
        return f"token {self.token.prefix}…"


type Actor = User | AnonymousUser | TokenActor


def person_of(actor: Actor) -> User | None:
    """Who is named as the author of what the actor does; None for nobody in person."""
    if isinstance(actor, TokenActor):
        return actor.person
    return actor if isinstance(actor, User) else None


def name_of(actor: Actor) -> str:
    """By which somebody who has signed in is told from all others, through whichever door."""
    return f"{'token' if isinstance(actor, TokenActor) else 'person'}:{actor.pk}"


def token_of(actor: Actor) -> ApiToken | None:
    """The token by which the actor came, if by one."""
    return actor.token if isinstance(actor, TokenActor) else None


def show_limit_of(actor: Actor) -> UUID | None:
    """The only show that the actor may touch; None for all that their role lets them touch."""
    return actor.token.show_id if isinstance(actor, TokenActor) else None


def has_scope(actor: Actor, scope: Scope) -> bool:
    """Whether the actor may do this kind of thing at all; people may do all kinds."""
    return not isinstance(actor, TokenActor) or actor.has_scope(scope)
