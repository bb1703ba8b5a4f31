"""Addresses of stored objects that carry a signature: which are still good to be handed out."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

CAPACITY = 8192
LONGEST_LIFETIME_SECONDS = 7 * 24 * 3600 // 2
"""Signature version 4 allows a week, and addresses are signed for twice what is asked."""

# Credentials of a role are replaced at least ten minutes before they end, by botocore; an address
# ends with the credentials that signed it, whatever it says of itself.
_TEMPORARY_REUSE_SECONDS = 300
_TEMPORARY_MARK = "X-Amz-Security-Token="


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stored object, and what the answer is to say of it in place of what is stored."""

    key: str
    content_type: str = ""
    content_disposition: str = ""
    cache_control: str = ""


type Sign = Callable[[Wanted, int], str]
"""An address for so many seconds; may wait, and raises OSError."""


@dataclass(frozen=True, slots=True)
class _Kept:
    address: str
    signed_at: float
    reuse_seconds: int


class PresignedAddresses:
    """The addresses of one bucket that this process has signed lately; any thread may ask.

    To sign takes half a millisecond, and sometimes a call to whoever hands out credentials.
    """

    def __init__(self, sign: Sign, *, capacity: int = CAPACITY) -> None:
        self._sign, self._capacity = sign, capacity
        self._kept: OrderedDict[tuple[Wanted, int], _Kept] = OrderedDict()
        self._lock = Lock()

    def get(self, wanted: Wanted, *, lifetime_seconds: int) -> str:
        """An address that lasts for at least this long from now, and at most twice as long.

        With temporary credentials it may end sooner, but not within five minutes. Raises OSError.
        """
        if not 0 < lifetime_seconds <= LONGEST_LIFETIME_SECONDS:
            raise ValueError(f"no address can be signed for {lifetime_seconds} seconds")
        return self._find(wanted, lifetime_seconds) or self._renew(wanted, lifetime_seconds)

    async def aget(self, wanted: Wanted, *, lifetime_seconds: int) -> str:
        """The same for an event loop, which must not wait for a signature."""
        if address := self._find(wanted, lifetime_seconds):
            return address
        return await asyncio.to_thread(self.get, wanted, lifetime_seconds=lifetime_seconds)

    def forget(self, wanted: Wanted, *, lifetime_seconds: int, address: str) -> None:
        """Hand this address out no more; one that has replaced it already stays."""
        with self._lock:
            kept = self._kept.get((wanted, lifetime_seconds))
            if kept is not None and kept.address == address:
                del self._kept[wanted, lifetime_seconds]

    def _find(self, wanted: Wanted, lifetime_seconds: int) -> str | None:
        with self._lock:
            kept = self._kept.get((wanted, lifetime_seconds))
            # The clock that signatures are judged by, which an operator may set back.
            if kept is None or not 0 <= time.time() - kept.signed_at < kept.reuse_seconds:
                return None
            self._kept.move_to_end((wanted, lifetime_seconds))
            return kept.address

    def _renew(self, wanted: Wanted, lifetime_seconds: int) -> str:
        signed_at = time.time()
        address = self._sign(wanted, 2 * lifetime_seconds)
        reuse_seconds = lifetime_seconds
        if _TEMPORARY_MARK in address:
            reuse_seconds = min(reuse_seconds, _TEMPORARY_REUSE_SECONDS)
        with self._lock:
            self._kept[wanted, lifetime_seconds] = _Kept(address, signed_at, reuse_seconds)
            self._kept.move_to_end((wanted, lifetime_seconds))
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
        return address
