"""The one kind of MP3 that is made here: constant bitrate, 44.1 kHz, frames that stand alone.

Every encoded file has the same frame lengths, and no frame borrows bits from its neighbours (no
bit reservoir), so that segments can later be joined at any frame without encoding again. Mono
stays mono at 96 kbit/s; everything else becomes joint stereo at 128 kbit/s.
"""

from __future__ import annotations

from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer

SAMPLE_RATE = 44_100
FRAME_SAMPLES = 1152
BITRATES = {1: 96_000, 2: 128_000}
_LAYOUTS = {1: "mono", 2: "stereo"}
# The tag is written afterwards, by code that knows chapters and covers.
_MUXER = {"id3v2_version": "0", "write_xing": "1", "fflags": "+bitexact"}


def open_mp3(path: Path) -> OutputContainer:
    """A new MP3 file with an Info frame, and without anything that changes from run to run."""
    return av.open(path, mode="w", format="mp3", options=_MUXER)


def add_mp3_stream(
    output: OutputContainer, channels: int, *, speed: int | None = None
) -> AudioStream:
    """The encoder for one or two channels; `speed` is LAME's, 0 (careful) to 9 (fast)."""
    options = {"reservoir": "0"}
    if speed is not None:
        options["compression_level"] = str(speed)
    stream = output.add_stream("libmp3lame", rate=SAMPLE_RATE, options=options)
    if not isinstance(stream, AudioStream):
        raise TypeError("the MP3 encoder made no sound stream")
    stream.codec_context.layout = _LAYOUTS[channels]
    stream.codec_context.format = "s16p"
    stream.codec_context.bit_rate = BITRATES[channels]
    return stream
