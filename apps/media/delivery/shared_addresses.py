"""Signed addresses that many listeners share: signing is most of what a redirect costs."""

import asyncio
from collections.abc import Callable, Hashable

from apps.core.clock import now

_KEPT = 10_000  # at most; those of one stretch of time are dropped together


class SharedAddresses[K: Hashable]:
    """Addresses of one kind, signed once for each stretch of `shared_seconds`.

    `sign` gets what the address leads to, and the second of Unix time at which it expires. Expiry
    lies on a grid, so that all processes make the same address where signatures are deterministic,
    and caches that know a file by its whole address keep one copy of it. A listener gets an
    address that is good for at least ``lifetime_seconds - shared_seconds``, at most for
    ``lifetime_seconds``.
    """

    def __init__(
        self, sign: Callable[[K, int], str], *, lifetime_seconds: int, shared_seconds: int
    ) -> None:
        self._sign = sign
        self._lifetime_seconds = lifetime_seconds
        self._shared_seconds = max(1, min(shared_seconds, lifetime_seconds // 2))
        self._begin = 0
        self._kept: dict[K, str] = {}

    async def find(self, target: K) -> str:
        """The address for this target, signed in a thread when there is none yet."""
        begin = int(now().timestamp()) // self._shared_seconds * self._shared_seconds
        if begin != self._begin:
            self._begin, self._kept = begin, {}
        kept = self._kept  # of this stretch of time, also when the next one begins meanwhile
        if (address := kept.get(target)) is None:
            expires_at = begin + self._lifetime_seconds
            address = await asyncio.to_thread(self._sign, target, expires_at)
            if len(kept) >= _KEPT:
                kept.pop(next(iter(kept)), None)  # the oldest: dicts remember their order
            kept[target] = address
        return address
