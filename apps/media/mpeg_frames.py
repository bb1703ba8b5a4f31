"""Where the frames of an MPEG audio file lie, and what their headers say."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from mmap import mmap

# ISO/IEC 11172-3 2.4.2.3 and 13818-3 2.4.2.3, layer III, in kbit/s.
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LAYER_III = 1
_MONO = 3
_XING_HAS_FRAMES = 1
_XING_HAS_BYTES = 2
_LAME_DELAYS_AT = 141
_RESYNC_WINDOW = 1 << 16
# The sync word with layer III and a version that exists: a run of 0xFF is passed over at once.
_SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")

type Buffer = bytes | memoryview | mmap


@dataclass(frozen=True, slots=True)
class FrameHeader:
    version: int
    bitrate: int
    sample_rate: int
    channels: int
    length: int

    @property
    def samples(self) -> int:
        return 1152 if self.version == 3 else 576

    def continues(self, other: FrameHeader) -> bool:
        """Two frames of one stream: bitrate and padding may change, the rest may not."""
        return (
            self.version == other.version
            and self.sample_rate == other.sample_rate
            and (self.channels == 1) == (other.channels == 1)
        )


@dataclass(frozen=True, slots=True)
class InfoFrame:
    """What an encoder noted in a first frame that holds no sound (Xing, Info)."""

    frames: int | None
    size_bytes: int | None
    trimmed_samples: int


def parse_header(data: Buffer, at: int) -> FrameHeader | None:
    """The layer III frame header at `at`; None for anything else, free format included."""
    return _decode_header(bytes(data[at : at + 4]))


# A file repeats the same few headers a hundred thousand times.
@lru_cache(maxsize=4096)
def _decode_header(four: bytes) -> FrameHeader | None:
    if len(four) < 4 or four[0] != 0xFF or four[1] & 0xE0 != 0xE0:
        return None
    version = four[1] >> 3 & 3
    rate_index = four[2] >> 2 & 3
    bitrate_index = four[2] >> 4
    if version == 1 or four[1] >> 1 & 3 != _LAYER_III:
        return None
    if rate_index == 3 or bitrate_index in {0, 15}:
        return None
    rate = _RATES[version][rate_index]
    bitrate = 1000 * (_BITRATES_1 if version == 3 else _BITRATES_2)[bitrate_index]
    padding = four[2] >> 1 & 1
    return FrameHeader(
        version=version,
        bitrate=bitrate,
        sample_rate=rate,
        channels=1 if four[3] >> 6 == _MONO else 2,
        length=(144 if version == 3 else 72) * bitrate // rate + padding,
    )


def find_first_frame(data: Buffer, start: int, stop: int, *, in_a_row: int = 3) -> int | None:
    """The first offset in [start, stop) that begins `in_a_row` consistent frames."""
    for found in _SYNC.finditer(data, start, stop + 1):
        if _frames_in_a_row(data, found.start(), in_a_row):
            return found.start()
    return None


def _frames_in_a_row(data: Buffer, at: int, count: int) -> bool:
    first = parse_header(data, at)
    current = first
    for _ in range(count):
        if first is None or current is None or not current.continues(first):
            return False
        at += current.length
        current = parse_header(data, at)
    return True


def info_frame(data: Buffer, at: int, header: FrameHeader) -> InfoFrame | None:
    """What the frame at `at` says about the whole file, if it is a Xing or Info frame."""
    if header.version == 3:
        side_info = 17 if header.channels == 1 else 32
    else:
        side_info = 9 if header.channels == 1 else 17
    mark = at + 4 + side_info
    if bytes(data[mark : mark + 4]) not in {b"Xing", b"Info"} or mark + 16 > len(data):
        return None
    (flags,) = struct.unpack_from(">I", data, mark + 4)
    position = mark + 8
    frames = size_bytes = None
    if flags & _XING_HAS_FRAMES:
        (frames,) = struct.unpack_from(">I", data, position)
        position += 4
    if flags & _XING_HAS_BYTES:
        (size_bytes,) = struct.unpack_from(">I", data, position)
    return InfoFrame(frames, size_bytes, _trimmed_samples(data, mark))


def _trimmed_samples(data: Buffer, mark: int) -> int:
    """Encoder delay and padding that players cut off, from the LAME extension."""
    field = bytes(data[mark + _LAME_DELAYS_AT : mark + _LAME_DELAYS_AT + 3])
    encoder = bytes(data[mark + 120 : mark + 124])
    if len(field) < 3 or encoder not in {b"LAME", b"Lavf", b"Lavc", b"L3.9"}:
        return 0
    packed = int.from_bytes(field)
    return (packed >> 12) + (packed & 0xFFF)


def walk_frames(data: Buffer, start: int) -> Iterator[tuple[int, FrameHeader | None]]:
    """Every frame as (offset, header); a stretch without frames as (offset, None).

    The last frame may reach past the end of `data`: the caller sees it in offset + length.
    """
    at = start
    size = len(data)
    while at + 4 <= size:
        header = parse_header(data, at)
        if header is None:
            yield at, None
            found = find_first_frame(data, at + 1, min(size, at + 1 + _RESYNC_WINDOW), in_a_row=2)
            at = at + 1 + _RESYNC_WINDOW if found is None else found
            continue
        yield at, header
        at += header.length
