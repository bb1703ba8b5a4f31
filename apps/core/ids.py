"""Identifiers that sort by time, so that new rows land at the end of an index."""

import os
import time
import uuid
from itertools import count

_VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)
_RANDOM_FIELDS = (0xFFF << 64) | ((1 << 62) - 1)


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(16)) & _RANDOM_FIELDS
    return uuid.UUID(int=(milliseconds << 80) | _VERSION_AND_VARIANT | random)


class Serial:
    """UUIDs as text, for what is named thousands of times a second.

    A random beginning, this process's own, and a number (RFC 9562, version 8). Unique, but whoever
    has seen one can guess the others: they open nothing.
    """

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def new(self) -> str:
        """The next one; from any thread."""
        return f"{self._beginning}-{next(self._numbers):012x}"

    def _begin(self) -> None:
        random = os.urandom(10).hex()
        self._beginning = f"{random[:8]}-{random[8:12]}-8{random[12:15]}-8{random[15:18]}"
        self._numbers = count()
