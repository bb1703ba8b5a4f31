"""How many bytes of a file make a download."""

from functools import lru_cache

MINUTE_MS = 60_000


@lru_cache(maxsize=4096)  # asked for every hit, of few files at a time
def threshold_bytes(*, size_bytes: int, header_bytes: int, duration_ms: int) -> int:
    """The header plus one minute of audio (IAB v2.3, 5.5.3).

    The whole file when it plays for less than a minute or its duration is unknown (0).
    Raises ValueError for a file without bytes: it can't be downloaded.
    """
    if size_bytes <= 0:
        raise ValueError("a file without bytes has no threshold")
    if duration_ms < MINUTE_MS:
        return size_bytes
    header = min(max(header_bytes, 0), size_bytes)
    return header + -(-(size_bytes - header) * MINUTE_MS // duration_ms)
