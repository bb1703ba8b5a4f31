"""How much of a file's sound can be decoded: one bad spot is forgiven, a broken file is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from apps.media.child.opening import damaged
from apps.media.refusals import FileRefusedError

# A listener hears one bad frame in fifty as a damaged recording.
_TOLERATED_SHARE = 0.02
_TOLERATED_SPOTS = 3


@dataclass(slots=True)
class Heard:
    """What came out of the decoder so far; `end_seconds` is where the last packet ends."""

    packets: int = 0
    bad_packets: int = 0
    samples: int = 0
    end_seconds: float = 0.0

    @property
    def is_worth_a_word(self) -> bool:
        """A tag in the middle, left by joining two files, also counts as one bad packet."""
        return self.bad_packets > _TOLERATED_SPOTS

    def check(self) -> None:
        """Refuse a file of which too little could be decoded."""
        tolerated = max(_TOLERATED_SPOTS, self.packets * _TOLERATED_SHARE)
        if not self.samples or self.bad_packets > tolerated:
            raise damaged()


def decode(source: InputContainer, stream: AudioStream, heard: Heard) -> Iterator[AudioFrame]:
    """Every frame that can be decoded; what can't is counted in `heard` and skipped."""
    for packet in _packets(source, stream, heard):
        try:
            frames = stream.decode(packet if packet.size else None)
        except (av.error.MemoryError, av.error.EOFError):
            raise
        except (av.error.FFmpegError, ValueError):
            # ValueError: a stream that turned out to be something else than it claimed.
            heard.bad_packets += 1
            continue
        for frame in frames:
            heard.samples += frame.samples
            yield frame


def _packets(
    source: InputContainer, stream: AudioStream, heard: Heard
) -> Iterator[Packet[AudioStream]]:
    start = float((stream.start_time or 0) * stream.time_base)
    try:
        for packet in source.demux(stream):
            if packet.size:
                heard.packets += 1
            if packet.pts is not None:
                end = float((packet.pts + (packet.duration or 0)) * stream.time_base) - start
                heard.end_seconds = max(heard.end_seconds, end)
            yield packet
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        # The demuxer can't go on: what is missing behind this shows in `end_seconds`.
        heard.bad_packets += 1


def check_not_cut_off(declared_seconds: float, heard_seconds: float) -> None:
    """Refuse a file that ends before its own index says (2% and a second are forgiven)."""
    if heard_seconds < declared_seconds * 0.98 - 1:
        raise cut_off(declared_seconds, heard_seconds)


def cut_off(declared_seconds: float, heard_seconds: float) -> FileRefusedError:
    return FileRefusedError(
        "cut-off",
        f"This file ends too early: it says it is {_clock(declared_seconds)} long, but only "
        f"{_clock(heard_seconds)} of it are there. Upload the whole file.",
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
