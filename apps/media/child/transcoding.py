"""The encoding and the rewrapping themselves: streamed, so that memory stays small."""

from __future__ import annotations

import base64
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.rational import AVRational

from apps.media.child.listening import Heard, check_not_cut_off, decode
from apps.media.child.main import Report
from apps.media.child.opening import damaged, opened
from apps.media.mp3_encoder import FRAME_SAMPLES, add_mp3_stream, open_mp3
from apps.media.sniffing import Container
from apps.media.tags import Artwork, Chapter, Tags, write_id3, write_mp4

if TYPE_CHECKING:
    from av.container.core import Chapter as AvChapter

_M4A_OPTIONS = {"movflags": "faststart", "fflags": "+bitexact"}
# Ogg and streamed WAV files only estimate how long they are.
_CONTAINERS_WITH_EXACT_LENGTH = {Container.FLAC, Container.M4A, Container.AIFF}


def encode_mp3(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """The job behind `encoding.make_playable` for everything that is no MP3 or AAC."""
    target = Path(arguments["target"])
    container = Container(arguments["container"])
    heard = Heard()
    seconds = arguments["duration_ms"] / 1000
    with (
        _telling_why(),
        opened(Path(arguments["source"]), container) as (source, stream),
        open_mp3(target) as output,
    ):
        rate = stream.codec_context.sample_rate
        for _ in _encode(source, stream, output, heard):
            report(heard.samples / rate / seconds)
    heard.check()
    if container in _CONTAINERS_WITH_EXACT_LENGTH:
        check_not_cut_off(seconds, heard.samples / rate)
    write_id3(target, *_tags(arguments))
    return {}


def _encode(
    source: InputContainer, stream: AudioStream, output: OutputContainer, heard: Heard
) -> Iterator[None]:
    """Feed decoded frames to the encoder; yields after each, so that progress can be told."""
    encoder = add_mp3_stream(output, 1 if stream.codec_context.channels == 1 else 2)
    resampler = AudioResampler(encoder.format, encoder.layout, encoder.rate, FRAME_SAMPLES)
    for frame in decode(source, stream, heard):
        # The source's clock may jump; the sound is put end to end.
        frame.pts = None
        for piece in resampler.resample(frame):
            output.mux(encoder.encode(piece))
        yield
    for last in (*resampler.resample(None), None):
        output.mux(encoder.encode(last))


def remux_m4a(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """The job behind `encoding.make_playable` for AAC: the same frames, the index in front."""
    target = Path(arguments["target"])
    tags, chapters = _tags(arguments)
    seconds = arguments["duration_ms"] / 1000
    container = Container(arguments["container"])
    with (
        _telling_why(),
        opened(Path(arguments["source"]), container) as (source, stream),
        av.open(target, mode="w", format="ipod", options=_M4A_OPTIONS) as output,
    ):
        copy = output.add_stream_from_template(stream)
        output.set_chapters([_av_chapter(number, it) for number, it in enumerate(chapters)])
        for packet in source.demux(stream):
            if packet.dts is None:
                continue
            report(float(packet.dts * stream.time_base) / seconds)
            packet.stream = copy
            output.mux(packet)
    write_mp4(target, tags)
    return {}


@contextmanager
def _telling_why() -> Iterator[None]:
    """A full disk is not the file's fault; frames that the muxer won't take are."""
    try:
        yield
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError as error:
        if error.errno in {errno.ENOSPC, errno.EFBIG, errno.EIO}:
            raise OSError(error.errno, error.strerror) from error
        raise damaged() from error


def _tags(arguments: dict[str, Any]) -> tuple[Tags, list[Chapter]]:
    artwork = arguments["artwork"]
    tags = Tags(
        title=arguments["title"],
        artist=arguments["artist"],
        album=arguments["album"],
        artwork=artwork and Artwork(base64.b64decode(artwork[0]), artwork[1]),
    )
    return tags, [Chapter(*chapter) for chapter in arguments["chapters"]]


def _av_chapter(number: int, chapter: Chapter) -> AvChapter:
    return {
        "id": number,
        "start": chapter.start_ms,
        "end": chapter.end_ms,
        "time_base": AVRational(1, 1000),
        "metadata": {"title": chapter.title},
    }
