"""Secrets in the database that must be read again: sealed with a key made from SECRET_KEY.

AES-256-GCM (NIST SP 800-38D). Whoever has a copy of the database alone reads nothing.
"""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES = 12


class UnsealableError(Exception):
    """What was sealed with another key, for another purpose, or was changed since."""


def seal(plain: bytes, *, purpose: str) -> bytes:
    """The sealed bytes: a nonce and the text; ``purpose`` must be said again to open them."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_key(settings.SECRET_KEY, purpose)).encrypt(nonce, plain, None)


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """What was sealed, also with a key of SECRET_KEY_FALLBACKS; raises UnsealableError."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            aes = AESGCM(_key(secret, purpose))
            return aes.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag:
            continue
    raise UnsealableError(purpose.partition(":")[0])


def _key(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), f"longwave sealing:{purpose}".encode(), hashlib.sha256)
