"""Sound files made for tests, small and in every wrapping."""

import math
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 44100


def make_sound(
    path: Path,
    *,
    codec: str,
    seconds: float = 3.0,
    container: str | None = None,
    rate: int = RATE,
    layout: str = "stereo",
    bitrate: int | None = 128_000,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    chapters: list[tuple[float, float, str]] | None = None,
) -> Path:
    """A tone of `seconds` in `codec`; chapters as (start, end, title) in seconds."""
    with av.open(path, "w", format=container, options=options or {}) as target:
        target.metadata.update(metadata or {})
        stream = target.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        if bitrate:
            stream.bit_rate = bitrate
        if chapters:
            target.set_chapters([_chapter(*chapter) for chapter in chapters])
        wanted = stream.codec_context.format.name
        resampler = av.AudioResampler(wanted, layout, rate, stream.codec_context.frame_size or 1024)
        count = round(seconds * rate)
        wave = np.sin(np.arange(count) * (2 * math.pi * 440 / rate)) * 8000
        samples = np.repeat(wave.astype(np.int16), stream.codec_context.channels)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", layout)
        frame.sample_rate = rate
        frame.pts = 0
        frame.time_base = Fraction(1, rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            target.mux(stream.encode(piece))
    return path


def _chapter(start: float, end: float, title: str) -> "av.container.core.Chapter":
    return {
        "id": int(start * 1000),
        "start": int(start * 1000),
        "end": int(end * 1000),
        "time_base": Fraction(1, 1000),  # type: ignore[typeddict-item]
        "metadata": {"title": title},
    }


def make_mp3(path: Path, seconds: float = 3.0, **options: object) -> Path:
    return make_sound(path, codec="libmp3lame", container="mp3", seconds=seconds, **options)  # type: ignore[arg-type]


def make_m4a(path: Path, seconds: float = 3.0, *, faststart: bool = True) -> Path:
    options = {"movflags": "faststart"} if faststart else {}
    return make_sound(path, codec="aac", container="ipod", seconds=seconds, options=options)


def box(kind: bytes, content: bytes, *, claimed: int | None = None) -> bytes:
    size = len(content) + 8 if claimed is None else claimed
    return struct.pack(">I4s", size, kind) + content
