"""How long an MP3 really is: its frames are counted, whatever its header says."""

from __future__ import annotations

from dataclasses import dataclass

from apps.media import id3_sizes
from apps.media.mpeg_frames import (
    Buffer,
    FrameHeader,
    InfoFrame,
    find_first_frame,
    info_frame,
    walk_frames,
)

_SEARCH_BYTES = 256 * 1024
_TRAILING_TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")


@dataclass(frozen=True, slots=True)
class Mp3Length:
    """`samples` are what a player plays; `sound_bytes` is what the frames take in the file."""

    samples: int
    sample_rate: int
    sound_at: int
    sound_bytes: int
    junk_bytes: int
    is_cut_off: bool

    @property
    def duration_ms(self) -> int:
        return round(self.samples * 1000 / self.sample_rate)


def measure(data: Buffer, start: int) -> Mp3Length | None:
    """Count the frames behind the leading tags, which end at `start`; None without any frame."""
    size = len(data)
    sound_at = find_first_frame(data, start, min(size, start + _SEARCH_BYTES), in_a_row=3)
    first = None if sound_at is None else _parse(data, sound_at)
    if sound_at is None or first is None:
        return None
    info = info_frame(data, sound_at, first)
    frames, sound_bytes, junk_bytes, is_last_cut = _count(data, sound_at, first)
    if info is not None:
        frames -= 1
    trimmed = 0 if info is None else info.trimmed_samples
    return Mp3Length(
        samples=max(0, frames * first.samples - trimmed),
        sample_rate=first.sample_rate,
        sound_at=sound_at,
        sound_bytes=sound_bytes,
        junk_bytes=junk_bytes,
        is_cut_off=is_last_cut and _promised_more(info, frames),
    )


def _parse(data: Buffer, at: int) -> FrameHeader | None:
    return next((header for _, header in walk_frames(data, at)), None)


def _count(data: Buffer, at: int, first: FrameHeader) -> tuple[int, int, int, bool]:
    """(frames, their bytes, bytes of junk between them, whether the last frame is cut)."""
    frames = sound = junk = 0
    end_of_last = at
    for offset, header in walk_frames(data, at):
        if header is None:
            if _is_trailing_tag(data, offset):
                break
            continue
        if not header.continues(first):
            continue
        if offset > end_of_last:
            junk += _junk(data, end_of_last, offset)
        end_of_last = offset + header.length
        sound += header.length
        frames += 1
    overhang = end_of_last - len(data)
    if overhang > 0:
        return frames - 1, sound - overhang, junk, True
    if not _is_trailing_tag(data, end_of_last):
        junk += len(data) - end_of_last
    return frames, sound, junk, False


def _junk(data: Buffer, start: int, stop: int) -> int:
    """A tag in the middle is what joining files leaves behind: no sign of damage."""
    tag = id3_sizes.tag_bytes(bytes(data[start : start + id3_sizes.HEADER_BYTES])) or 0
    return max(0, stop - start - tag)


def _is_trailing_tag(data: Buffer, at: int) -> bool:
    return bytes(data[at : at + 11]).startswith(_TRAILING_TAGS)


def _promised_more(info: InfoFrame | None, frames: int) -> bool:
    """A count that is too high alone proves nothing: careless editors leave the old one."""
    return info is not None and info.frames is not None and frames < info.frames
