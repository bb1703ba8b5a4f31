"""The measuring itself: length, codec, header, tags and chapters of one file."""

from __future__ import annotations

import base64
import mmap
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from av.audio.stream import AudioStream
from av.container import InputContainer

from apps.media import id3_sizes, iff_size, mp4_boxes, mpeg_length
from apps.media.child.listening import Heard, check_not_cut_off, cut_off, decode
from apps.media.child.main import Report
from apps.media.child.opening import codec_name, damaged, opened
from apps.media.refusals import FileRefusedError
from apps.media.sniffing import Container
from apps.media.tags import Tags, clean_text, read_tags

_SHORTEST_MS = 1000
_LONGEST_MS = 48 * 3600 * 1000
_MOST_CHAPTERS = 1000
_TRIED_SECONDS = 30
_MOST_JUNK = 0.1
_INDEX_MOVED = (
    "The index of this file was moved to its front, so that players can start at once. The sound "
    "was not changed."
)
_SOME_DAMAGE = (
    "A few moments of this file are damaged and may be heard as clicks. Export it again if that "
    "matters."
)


@dataclass(frozen=True, slots=True)
class _Measured:
    duration_ms: int
    header_bytes: int = 0
    sound_bytes: int | None = None
    handling: str = "encode"
    notices: tuple[str, ...] = ()


def inspect(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """The job behind `probing.probe`."""
    path = Path(arguments["path"])
    container = Container(arguments["container"])
    size = path.stat().st_size
    layout = _layout(path, container)
    if container in {Container.WAV, Container.AIFF}:
        _check_chunks(path, size)
    tags = read_tags(path, container)
    with opened(path, container) as (source, stream):
        codec = codec_name(stream)
        if container is Container.MP3:
            measured = _mp3(path, source, stream, report)
        elif container is Container.ADTS or (layout is not None and codec == "aac"):
            measured = _aac(source, stream, size, layout, report)
        else:
            measured = _to_encode(source, stream)
        _check_length(measured.duration_ms)
        sound_bytes = measured.sound_bytes or size - measured.header_bytes
        return {
            "codec": codec,
            "handling": measured.handling,
            "duration_ms": measured.duration_ms,
            "bitrate_bps": round(sound_bytes * 8000 / measured.duration_ms),
            "sample_rate": stream.codec_context.sample_rate,
            "channels": stream.codec_context.channels,
            "header_bytes": measured.header_bytes,
            "chapters": _chapters(source, measured.duration_ms),
            "notices": list(measured.notices + _tag_notices(tags)),
            **_described(tags or Tags()),
        }


def _layout(path: Path, container: Container) -> mp4_boxes.Layout | None:
    if container is not Container.M4A:
        return None
    with path.open("rb") as file:
        return mp4_boxes.read_layout(file)


def _check_chunks(path: Path, size: int) -> None:
    with path.open("rb") as file:
        declared = iff_size.declared_bytes(file.read(iff_size.HEADER_BYTES))
    if declared is not None and size < declared * 0.98:
        raise FileRefusedError(
            "cut-off",
            f"This file ends too early: only {size * 100 // declared}% of it are there. "
            "Upload the whole file.",
        )


def _mp3(path: Path, source: InputContainer, stream: AudioStream, report: Report) -> _Measured:
    with path.open("rb") as file:
        start = id3_sizes.leading_tag_bytes(file)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            length = mpeg_length.measure(data, start)
    if length is None:
        raise damaged()
    whole = length.sound_bytes + length.junk_bytes
    if length.junk_bytes > whole * _MOST_JUNK:
        raise damaged()
    seconds = length.duration_ms / 1000
    if length.is_cut_off:
        raise cut_off(float(source.duration or 0) / 1_000_000, seconds)
    heard = _try_whole(source, stream, seconds, report)
    return _Measured(
        duration_ms=length.duration_ms,
        header_bytes=length.sound_at,
        sound_bytes=length.sound_bytes,
        handling="serve",
        notices=_damage_notices(heard),
    )


def _aac(
    source: InputContainer,
    stream: AudioStream,
    size: int,
    layout: mp4_boxes.Layout | None,
    report: Report,
) -> _Measured:
    # A bare ADTS stream has no index: what libav declares is an estimate from the first frames.
    declared = _declared_seconds(source, stream) if layout is not None else 0.0
    heard = _try_whole(source, stream, declared or size / 16_000, report)
    check_not_cut_off(declared, heard.end_seconds)
    notices = _damage_notices(heard)
    seconds = declared or heard.end_seconds
    if layout is not None and layout.is_faststart and not layout.is_fragmented:
        return _Measured(round(seconds * 1000), layout.header_bytes, None, "serve", notices)
    notices += (_INDEX_MOVED,)
    header = 0 if layout is None else min(layout.header_bytes, size)
    return _Measured(round(seconds * 1000), header, None, "remux", notices)


def _to_encode(source: InputContainer, stream: AudioStream) -> _Measured:
    """Encoding decodes all of it, so only the beginning is tried here."""
    heard = Heard()
    for _ in decode(source, stream, heard):
        if heard.samples > _TRIED_SECONDS * stream.codec_context.sample_rate:
            break
    heard.check()
    seconds = _declared_seconds(source, stream)
    if not seconds:
        seconds = heard.samples / stream.codec_context.sample_rate
    return _Measured(round(seconds * 1000))


def _try_whole(
    source: InputContainer, stream: AudioStream, seconds: float, report: Report
) -> Heard:
    """Decode everything: it runs several hundred times faster than it plays."""
    heard = Heard()
    for _ in decode(source, stream, heard):
        report(heard.end_seconds / max(seconds, 0.001))
    heard.check()
    return heard


def _declared_seconds(source: InputContainer, stream: AudioStream) -> float:
    """What the index says; of a file with several tracks only the sound counts."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return float(source.duration or 0) / 1_000_000


def _check_length(duration_ms: int) -> None:
    if duration_ms < _SHORTEST_MS:
        raise FileRefusedError(
            "too-short",
            "There is less than one second of sound in this file. Export the whole episode and "
            "upload that.",
        )
    if duration_ms > _LONGEST_MS:
        raise FileRefusedError(
            "too-long-to-play",
            "This file says it is longer than 48 hours. If that is wrong, export it again; if it "
            "is right, split it into several episodes.",
        )


def _chapters(source: InputContainer, duration_ms: int) -> list[tuple[int, int, str]]:
    """(start, end, title) in order and without overlap, whatever the file claims."""
    found = sorted(
        (round(float(chapter["start"] * chapter["time_base"]) * 1000), index)
        for index, chapter in enumerate(source.chapters())
    )
    chapters = source.chapters()
    kept = [(start, index) for start, index in found if 0 <= start < duration_ms][:_MOST_CHAPTERS]
    ends = [after for (_, _), (after, _) in pairwise(kept)] + [duration_ms]
    return [
        (start, end, clean_text(chapters[index]["metadata"].get("title", "")))
        for (start, index), end in zip(kept, ends, strict=False)
        if start < end
    ]


def _described(tags: Tags) -> dict[str, Any]:
    artwork = tags.artwork
    return {
        "title": tags.title,
        "artist": tags.artist,
        "album": tags.album,
        "artwork": artwork and (base64.b64encode(artwork.data).decode(), artwork.mime_type),
    }


def _tag_notices(tags: Tags | None) -> tuple[str, ...]:
    if tags is not None:
        return ()
    return ("The tags of this file (title, cover) are damaged and were not read.",)


def _damage_notices(heard: Heard) -> tuple[str, ...]:
    if not heard.is_worth_a_word:
        return ()
    return (_SOME_DAMAGE,)
