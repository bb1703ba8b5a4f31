"""What stands for a listener: keyed hashes that nobody can turn back once the day's key is gone."""

import hmac
import secrets
from uuid import UUID

KEY_BYTES = 32


def new_day_key() -> bytes:
    """A random key for one day."""
    return secrets.token_bytes(KEY_BYTES)


def listener_key(day_key: bytes, *, organization: UUID, address: str, agent: str) -> bytes:
    """One address with one whole user agent, as one organisation sees it on one day."""
    who = f"listener|{organization}|{address}|{agent}"
    return hmac.digest(day_key, who.encode("utf-8", "surrogatepass"), "sha256")


def address_key(day_key: bytes, *, organization: UUID, address: str) -> bytes:
    """One address, whatever its agents, as one organisation sees it on one day."""
    return hmac.digest(day_key, f"address|{organization}|{address}".encode(), "sha256")
