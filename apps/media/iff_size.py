"""How long a WAV or AIFF file says it is."""

from __future__ import annotations

HEADER_BYTES = 12
# Written by programs that stream into a pipe and can't come back to fill it in.
_PLACEHOLDERS = {0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}


def declared_bytes(header: bytes) -> int | None:
    """The length of the whole file by its first chunk; None where it says nothing useful.

    RF64 keeps its length elsewhere, and a file past 4 GiB without it has wrapped around.
    """
    if len(header) < HEADER_BYTES or header[:4] not in {b"RIFF", b"FORM"}:
        return None
    size = int.from_bytes(header[4:8], "little" if header[:4] == b"RIFF" else "big")
    # Placeholders are also seen with the header's length subtracted or added.
    if any(abs(size - placeholder) <= 4096 for placeholder in _PLACEHOLDERS):
        return None
    return size + 8
