"""Who may do what, at least: told beside each operation, and compared with the access matrix."""

from typing import Any

from api.document.about import SESSION

# By the operation's name. Whatever is not named here is for everybody who has signed in.
_LEAST = {
    "anyone": ["get_schema"],
    "staff": ["get_platform_live", "stream_platform_live"],
}
LEAST_ROLES = {name: role for role, names in _LEAST.items() for name in names}
WORDS = {
    "anyone": "anybody",
    "person": "anybody who has signed in",
    "analyst": "members, analysts included",
    "editor": "editors, admins and owners",
    "admin": "admins and owners",
    "owner": "owners",
    "staff": "the platform’s staff",
}
# What no token can do: it takes a person who has signed in.
SESSION_ONLY = {
    "create_token",
    "create_organization_token",
    "revoke_organization_token",
    "list_quarantine",
    "release_from_quarantine",
}


def add_roles(document: dict[str, Any]) -> None:
    """As ``x-role``, a key of :data:`WORDS`."""
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            operation["x-role"] = LEAST_ROLES.get(name, "person")
            if name in SESSION_ONLY:
                operation["security"] = [{SESSION: []}]
