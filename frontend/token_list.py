"""API tokens as a page lists them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from apps.accounts.models import ApiToken
from apps.accounts.scopes import Scope
from podcasts.querysets import ShowQuerySet

_BADGES = {"active": "ready", "expired": "unpublished", "revoked": "trashed"}


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One line of the list."""

    token: ApiToken
    status: str  # active, expired, revoked
    scopes: list[str]  # in words
    show: str  # a title; empty for all shows
    revoke_url: str

    @property
    def badge(self) -> str:
        """The kind of badge that shows the status."""
        return _BADGES[self.status]


def token_rows(
    tokens: Iterable[ApiToken], shows: ShowQuerySet, *, revoke: str, at: datetime
) -> list[TokenRow]:
    """The lines for these tokens; ``revoke`` names the route that ends one."""
    found = list(tokens)
    titles = _titles(found, shows)
    return [
        TokenRow(
            token=token,
            status=token.status(at),
            scopes=[Scope(scope).label for scope in token.scopes],
            show=titles.get(token.show_id, "A show that is gone") if token.show_id else "",
            revoke_url=reverse(revoke, args=[token.pk]),
        )
        for token in found
    ]


def _titles(tokens: Iterable[ApiToken], shows: ShowQuerySet) -> dict[UUID, str]:
    ids = {token.show_id for token in tokens if token.show_id}
    return dict(shows.filter(pk__in=ids).values_list("id", "title")) if ids else {}
