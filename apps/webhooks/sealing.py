"""The secrets that sign messages: made here, kept sealed, shown once."""

import base64
import os

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Standard Webhooks: base64 of 24 to 64 random bytes behind this prefix.
_PREFIX = "whsec_"
_SECRET_BYTES = 32
_PURPOSE = b"longwave webhook secrets, 1"


class UnreadableSecretError(Exception):
    """Sealed under a key that is neither the current one nor among the fallbacks."""


def new_secret() -> str:
    """A secret as its owner is shown it."""
    return _PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def signing_key(secret: str) -> bytes:
    """The bytes that a secret stands for."""
    return base64.b64decode(secret.removeprefix(_PREFIX))


def seal(secret: str) -> str:
    """What is stored: of no use without ``SECRET_KEY``, so not in a stolen backup either."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret; raises UnreadableSecretError."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken as error:
        raise UnreadableSecretError from error


def _box() -> MultiFernet:
    """Seals with today's key, opens with that and with earlier ones."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))
