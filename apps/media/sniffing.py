"""What a file is by its content; whatever is no podcast audio is refused before it is decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from apps.media import id3_sizes, impostors
from apps.media.mpeg_frames import find_first_frame
from apps.media.refusals import FileRefusedError

_WINDOW = 64 * 1024
# Junk before the first frame that players skip as well, when nothing names another format.
_JUNK_BEFORE_FRAMES = 16 * 1024
_FRAMES_IN_A_ROW = 4
_LARGEST_TAG = 64 * 1024 * 1024


class Container(StrEnum):
    """The wrappings that are accepted; `format_name` is what the demuxer is forced to."""

    MP3 = "mp3"
    M4A = "m4a"
    ADTS = "adts"
    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    AIFF = "aiff"

    @property
    def format_name(self) -> str:
        return {Container.M4A: "mov", Container.ADTS: "aac"}.get(self, self.value)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The container, and where what it holds begins behind leading ID3v2 tags."""

    container: Container
    audio_offset: int


def sniff(file: BinaryIO) -> Sniffed:
    """Tell the container from the content, or raise `FileRefusedError` with a sentence why not."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise FileRefusedError("empty", "This file is empty. Export the audio again and upload it.")
    offset = _skip_tags(file, size)
    file.seek(offset)
    window = file.read(_WINDOW)
    if not window.strip(b"\0"):
        raise FileRefusedError(
            "no-audio",
            "There is no audio in this file, only empty space or tags. Export the audio again.",
        )
    container = _by_signature(window)
    if container is not None:
        return Sniffed(container, offset)
    impostors.refuse_known(window)
    if _first_mp3_frame(window) is None:
        impostors.refuse_unknown(window)
    return Sniffed(Container.MP3, offset)


def _skip_tags(file: BinaryIO, size: int) -> int:
    offset = id3_sizes.leading_tag_bytes(file)
    if offset >= size:
        raise FileRefusedError(
            "broken-tag",
            "The ID3 tag of this file claims to be longer than the file, so no audio can be found "
            "behind it. Export the audio again, or remove the tag, and upload it.",
        )
    if offset > _LARGEST_TAG:
        raise FileRefusedError(
            "tag-too-large",
            "The ID3 tag of this file is larger than 64 MB, and every listener would download it "
            "before the first sound. Use a smaller cover picture and upload the file again.",
        )
    return offset


def _by_signature(window: bytes) -> Container | None:
    """The containers that say what they are; MP3 has no signature of its own."""
    start = window[:12]
    if start[:4] in {b"RIFF", b"RF64", b"BW64"} and start[8:12] == b"WAVE":
        return Container.WAV
    if start[:4] == b"FORM" and start[8:12] in {b"AIFF", b"AIFC"}:
        return Container.AIFF
    if start[:4] == b"fLaC":
        return Container.FLAC
    if start[:4] == b"OggS":
        return Container.OGG
    if start[4:8] == b"ftyp":
        impostors.refuse_brand(start[8:12])
        return Container.M4A
    return Container.ADTS if _is_adts(window) else None


def _is_adts(window: bytes) -> bool:
    """Three ADTS frames in a row, each length leading to the next (ISO/IEC 13818-7 6.2)."""
    at = 0
    for _ in range(3):
        header = window[at : at + 7]
        if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
            return False
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        if length < 7:
            return False
        at += length
    return True


def _first_mp3_frame(window: bytes) -> int | None:
    """Where frames begin; zeros do not count as junk, some editors pad tags with thousands."""
    start = len(window) - len(window.lstrip(b"\0"))
    stop = min(len(window), start + _JUNK_BEFORE_FRAMES)
    return find_first_frame(window, start, stop, in_a_row=_FRAMES_IN_A_ROW)
