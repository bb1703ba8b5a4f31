"""Identifiers that sort by time, so that new rows land at the end of an index."""

import os
import time
import uuid

_VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)
_RANDOM_FIELDS = (0xFFF << 64) | ((1 << 62) - 1)


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(16)) & _RANDOM_FIELDS
    return uuid.UUID(int=(milliseconds << 80) | _VERSION_AND_VARIANT | random)
