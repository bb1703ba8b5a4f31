"""How a decoder is let at a file: one forced format, known codecs, and no way to another file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from apps.media.refusals import FileRefusedError
from apps.media.sniffing import Container

_PCM = frozenset(
    ["pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw"]
    + [f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")]
)
CODECS: dict[Container, frozenset[str]] = {
    Container.MP3: frozenset({"mp3", "mp3float"}),
    Container.ADTS: frozenset({"aac"}),
    Container.M4A: frozenset({"aac", "alac", "flac", "opus", "libopus", "mp3", "mp3float"}),
    Container.WAV: _PCM,
    Container.AIFF: _PCM,
    Container.FLAC: frozenset({"flac"}),
    Container.OGG: frozenset({"vorbis", "opus", "libopus", "flac"}),
}
_NAMES = {"mp3float": "mp3", "libopus": "opus"}
_MOST_STREAMS = "32"


def codec_name(stream: AudioStream) -> str:
    """The codec as people call it, whichever decoder reads it."""
    name = stream.codec_context.name
    return _NAMES.get(name, name)


@contextmanager
def opened(path: Path, container: Container) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The file and its one sound stream, both checked; closed at the end.

    The file is handed over as an open descriptor and `fd` is the only protocol allowed: a
    playlist, a data reference or a redirection inside it leads nowhere.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with _open(descriptor, container) as source:
            yield source, _sound(source, container)
    finally:
        os.close(descriptor)


def _open(descriptor: int, container: Container) -> InputContainer:
    options = {
        "fd": str(descriptor),
        "protocol_whitelist": "fd",
        "format_whitelist": _format(container),
        "codec_whitelist": ",".join(sorted(CODECS[container])),
        "max_streams": _MOST_STREAMS,
    }
    try:
        return av.open("fd:", mode="r", format=_format(container), options=options)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError as error:
        raise damaged() from error


def _format(container: Container) -> str:
    return container.format_name


def _sound(source: InputContainer, container: Container) -> AudioStream:
    """The only stream to be decoded. PyAV opens decoders itself, so the list is checked again."""
    for picture in source.streams.video:
        if not picture.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails):
            raise FileRefusedError(
                "video",
                "This file is a video. Export only its sound as MP3 or M4A and upload that.",
            )
    if not source.streams.audio:
        raise FileRefusedError(
            "no-audio", "There is no sound in this file. Export the episode again and upload it."
        )
    stream = source.streams.audio[0]
    known = stream.codec_context is not None and stream.codec_context.name in CODECS[container]
    if not known or not stream.codec_context.sample_rate or not stream.codec_context.channels:
        raise FileRefusedError(
            "codec",
            "The sound in this file is compressed in a way that is not accepted. Export the "
            "episode as MP3, M4A (AAC), or as an uncompressed WAV file, and upload that.",
        )
    stream.codec_context.thread_count = 1
    return stream


def damaged() -> FileRefusedError:
    """What is said of a file whose structure or sound can't be read."""
    return FileRefusedError(
        "damaged",
        "This file is damaged: its sound can't be decoded. Export the episode again and upload "
        "the new file.",
    )
