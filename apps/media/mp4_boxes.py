"""How the top level of an MP4 file is laid out: whether it can be played while it loads."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from apps.media.refusals import FileRefusedError

_MOST_BOXES = 4096


@dataclass(frozen=True, slots=True)
class Layout:
    """`header_bytes` ends where the sound begins: everything in front of the first mdat's bytes."""

    header_bytes: int
    is_faststart: bool
    is_fragmented: bool


def read_layout(file: BinaryIO) -> Layout:
    """Walk the top-level boxes (ISO/IEC 14496-12 4.2); refuse what can't be a whole file."""
    places: dict[bytes, tuple[int, int]] = {}
    size = file.seek(0, os.SEEK_END)
    for kind, start, body, end in _boxes(file, size):
        places.setdefault(kind, (start, body))
        if end > size:
            raise _cut_off()
        if kind == b"moof":
            break
    if b"moov" not in places:
        raise FileRefusedError(
            "no-index",
            "This M4A file has no index, which is written last: the export or the recording was "
            "interrupted. Export it again and upload the new file.",
        )
    if b"mdat" not in places and b"moof" not in places:
        raise FileRefusedError("no-audio", "This M4A file holds no sound. Export it again.")
    sound, body = places.get(b"mdat") or places[b"moof"]
    return Layout(body, places[b"moov"][0] < sound, b"moof" in places)


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int, int]]:
    """(type, start, start of its content, end) of each box."""
    start = 0
    for _ in range(_MOST_BOXES):
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        length, kind = struct.unpack_from(">I4s", header)
        body = start + 8
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack_from(">Q", header, 8)
            body = start + 16
        elif length == 0:
            length = size - start
        if length < body - start:
            raise FileRefusedError(
                "damaged",
                "This M4A file is damaged: one of its parts claims an impossible length. "
                "Export it again and upload the new file.",
            )
        yield kind, start, body, start + length
        start += length


def _cut_off() -> FileRefusedError:
    return FileRefusedError(
        "cut-off",
        "This file ends too early: part of the sound is missing. The export or an earlier "
        "transfer was interrupted. Upload the whole file.",
    )
