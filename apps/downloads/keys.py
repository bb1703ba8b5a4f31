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


class Keyed:
    """The hashes under one period's key.

    Kept for a batch: what many listeners have in common is hashed once.
    """

    def __init__(self, key: bytes) -> None:
        self._begun = hmac.new(key, digestmod="sha256")
        self._of_organization: dict[tuple[str, int], hmac.HMAC] = {}

    def listener(self, organization: UUID, address: str, agent: str) -> bytes:
        """One address with one whole user agent, as one organisation sees it in this period."""
        return self._digest("listener", organization, f"{address}|{agent}")

    def address(self, organization: UUID, address: str) -> bytes:
        """One address, whatever its agents, as one organisation sees it in this period."""
        return self._digest("address", organization, address)

    def _digest(self, kind: str, organization: UUID, who: str) -> bytes:
        begun = self._of_organization.get((kind, organization.int))
        if begun is None:
            begun = self._begun.copy()
            begun.update(f"{kind}|{organization}|".encode())
            self._of_organization[kind, organization.int] = begun
        one = begun.copy()
        one.update(who.encode("utf-8", "surrogatepass"))
        return one.digest()[:KEY_BYTES]
