"""How many bytes ID3v2 tags take at the front of a file."""

from __future__ import annotations

from typing import BinaryIO

HEADER_BYTES = 10
_FOOTER_FLAG = 0x10
_MOST_TAGS = 8


def tag_bytes(header: bytes) -> int | None:
    """The whole size of the tag that begins with these ten bytes (id3v2.4.0-structure 3.1).

    The header and the footer count; None when no tag begins here.
    """
    if len(header) < HEADER_BYTES or header[:3] != b"ID3":
        return None
    if 0xFF in header[3:5] or any(byte & 0x80 for byte in header[6:10]):
        return None
    size = 0
    for byte in header[6:10]:
        size = size << 7 | byte
    footer = HEADER_BYTES if header[5] & _FOOTER_FLAG else 0
    return HEADER_BYTES + size + footer


def leading_tag_bytes(file: BinaryIO) -> int:
    """The size of all tags at the front: careless editors stack one on another."""
    offset = 0
    for _ in range(_MOST_TAGS):
        file.seek(offset)
        size = tag_bytes(file.read(HEADER_BYTES))
        if size is None:
            break
        offset += size
    return offset
