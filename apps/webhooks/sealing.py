"""The secrets that sign messages: made here, kept sealed, shown once."""

import base64
import secrets
from uuid import UUID

from apps.core import sealing

# Standard Webhooks: base64 of 24 to 64 random bytes behind this prefix.
_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A secret as its owner is shown it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signing_key(secret: str) -> bytes:
    """The bytes that a secret stands for."""
    return base64.b64decode(secret.removeprefix(_PREFIX))


def seal(secret: str, endpoint_id: UUID) -> bytes:
    """What is stored: of no use without ``SECRET_KEY``, nor in another endpoint's row."""
    return sealing.seal(secret.encode(), purpose=_purpose(endpoint_id))


def unseal(sealed: bytes | memoryview, endpoint_id: UUID) -> str:
    """The secret; raises ``apps.core.sealing.UnsealableError``."""
    return sealing.unseal(bytes(sealed), purpose=_purpose(endpoint_id)).decode()


def _purpose(endpoint_id: UUID) -> str:
    return f"webhook:{endpoint_id}"
