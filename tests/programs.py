"""Programs that ask with an API token, of every kind there is."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.test import Client

from apps.accounts.models import ApiToken, Membership, Organization, User
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.accounts.tokens import create_organization_token, create_token

# Well-formed, and nobody's.
UNKNOWN_SECRET = "lw_NobodyWasEverGivenxxxxxxxxxxxxxxxxxxxxxxxxx2XjTB2"


def token_of_person(
    user: User, scopes: Collection[Scope] = tuple(Scope), **fields: Any
) -> tuple[ApiToken, str]:
    """A person's token, for everything unless said otherwise, and its secret."""
    return create_token(user=user, name="A script", scopes=scopes, **fields)


def token_of_organization(
    organization: Organization,
    role: Role = Role.EDITOR,
    scopes: Collection[Scope] = tuple(Scope),
    **fields: Any,
) -> tuple[ApiToken, str]:
    """An organisation's token, made by its owner, and its secret."""
    owner = Membership.objects.get(organization=organization, role=Role.OWNER)
    return create_organization_token(
        actor=owner, role=role, name="A machine", scopes=scopes, **fields
    )


def program(secret: str) -> Client:
    """An HTTP client that sends the secret with every request, and no cookie."""
    return Client(headers={"Authorization": f"Bearer {secret}"}, enforce_csrf_checks=True)


def ask(client: Client, path: str, method: str = "get", body: Any = None) -> tuple[int, str]:
    """The status of an answer, and the code of its problem if it is one."""
    kwargs = {} if body is None else {"data": body, "content_type": "application/json"}
    response = getattr(client, method)(path, **kwargs)
    is_problem = response.headers.get("Content-Type") == "application/problem+json"
    return response.status_code, response.json()["code"] if is_problem else ""


def new_upload(organization_id: UUID) -> dict[str, Any]:
    """What opens an upload of five bytes."""
    return {"organization": str(organization_id), "filename": "a.mp3", "size_bytes": 5}
