"""How the matrix of who is let in where is written: one request of a row, and its address."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.accounts.models import ApiToken, Invitation, Membership
from apps.media.models import Upload
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from podcasts.models import Episode, Show
from tests.conftest import People

PERSONAS = ("anonymous", "stranger", "staff", "analyst", "editor", "admin", "owner")
MEMBERS = PERSONAS[3:]


@dataclass(frozen=True)
class World:
    """A tenant's things, one of each kind."""

    people: People
    show: Show
    draft: Episode
    published: Episode
    trashed_show: Show
    trashed_episode: Episode
    upload: Upload
    invitation: Invitation
    membership: Membership  # of somebody who asks for nothing here
    token: ApiToken  # the organisation's
    webhook: WebhookEndpoint
    delivery: WebhookDelivery


@dataclass(frozen=True)
class Row:
    """One request and who is let in; ``least`` names the weakest member for a tenant's page."""

    method: str
    path: Callable[[World], str]
    least: str = ""  # a role; or "anyone", "person" (signed in), "staff", "nobody"
    body: Callable[[World], dict[str, Any]] = lambda world: {}
    is_api: bool = False

    def expected(self, persona: str) -> str:
        """``in``, ``sign in``, ``404``, ``403`` or ``401``."""
        if self.least == "anyone":
            return "in"
        if persona == "anonymous":
            return "401" if self.is_api else "sign in"
        if self.least == "person":
            return "in"
        if self.least == "nobody":
            return "404"
        if self.least == "staff":
            return "in" if persona == "staff" else "404"
        if persona not in MEMBERS:
            return "404"
        return "in" if MEMBERS.index(persona) >= MEMBERS.index(self.least) else "403"


def _row(
    path: str | Callable[[World], str],
    least: str,
    method: str = "get",
    body: Callable[[World], dict[str, Any]] = lambda world: {},
    *,
    is_api: bool,
) -> Row:
    return Row(method, path if callable(path) else lambda world: path, least, body, is_api)


page = partial(_row, is_api=False)
api = partial(_row, is_api=True)


def show(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/shows/{world.show.id}/{suffix}"


def episode(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/episodes/{world.draft.id}/{suffix}"


def ours(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/api/v1/organizations/{world.people.organization.id}/{suffix}"


def api_show(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/api/v1/shows/{world.show.id}/{suffix}"


def api_episode(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/api/v1/episodes/{world.draft.id}/{suffix}"


def webhook(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/organization/webhooks/{world.webhook.id}/{suffix}"


def delivery(suffix: str = "") -> Callable[[World], str]:
    return lambda world: f"/studio/organization/webhooks/deliveries/{world.delivery.id}/{suffix}"
