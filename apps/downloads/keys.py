"""What stands for a listener: keyed hashes that nobody can turn back once the period's key is gone.

HMAC-SHA-256 cut to 128 bits, as RFC 2104 (5) allows: two of a billion listeners of a day share a
key with a chance below 10^-20.
"""

import hmac
import secrets
from uuid import UUID

DAY_KEY_BYTES = 32
KEY_BYTES = 16


def new_key() -> bytes:
    """A random key for one day or month."""
    return secrets.token_bytes(DAY_KEY_BYTES)


def listener_key(key: bytes, *, organization: UUID, address: str, agent: str) -> bytes:
    """One address with one whole user agent, as one organisation sees it in one period."""
    who = f"listener|{organization}|{address}|{agent}"
    return hmac.digest(key, who.encode("utf-8", "surrogatepass"), "sha256")[:KEY_BYTES]


def address_key(key: bytes, *, organization: UUID, address: str) -> bytes:
    """One address, whatever its agents, as one organisation sees it in one period."""
    who = f"address|{organization}|{address}"
    return hmac.digest(key, who.encode(), "sha256")[:KEY_BYTES]
