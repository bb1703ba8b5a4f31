"""The title, the names, the picture and the chapters that a sound file carries about itself."""

# mutagen says it is typed, but hardly any of its functions are.
# mypy: allow-untyped-calls

from __future__ import annotations

import base64
import struct
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen import id3
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from apps.media.sniffing import Container

LARGEST_ARTWORK = 10 << 20
_LONGEST_TEXT = 255
_FRONT_COVER = 3
_MOST_CHAPTERS = 255  # a CTOC counts its entries in one byte (id3v2-chapters 3.2)
_ID3_NAMES = {"title": "TIT2", "artist": "TPE1", "album": "TALB"}
_MP4_NAMES = {"title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb"}
# What readers of tags raise on bytes that were made to break them, beside mutagen's own.
_UNREADABLE = (
    mutagen.MutagenError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Artwork:
    """A picture as it was embedded: neither its bytes nor its type have been checked."""

    data: bytes
    mime_type: str


@dataclass(frozen=True, slots=True)
class Chapter:
    start_ms: int
    end_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class Tags:
    title: str = ""
    artist: str = ""
    album: str = ""
    artwork: Artwork | None = None


def read_tags(path: Path, container: Container) -> Tags | None:
    """What the file says about itself; None when that can't be read, which harms no sound."""
    try:
        return _READERS[container](path)
    except id3.ID3NoHeaderError:
        return Tags()
    except _UNREADABLE:
        return None


def clean_text(value: object) -> str:
    """One line without control characters, short enough for a title."""
    text = "".join(
        " " if unicodedata.category(character) == "Cc" else character
        for character in str(value)[: 4 * _LONGEST_TEXT]
        if unicodedata.category(character) != "Cs"
    )
    return " ".join(text.split())[:_LONGEST_TEXT].strip()


def write_id3(path: Path, tags: Tags, chapters: Sequence[Chapter]) -> None:
    """Put an ID3v2.3 tag in front of an MP3: the version that every player reads."""
    tag = id3.ID3()
    for name, frame in _ID3_NAMES.items():
        if text := getattr(tags, name):
            tag.add(getattr(id3, frame)(encoding=id3.Encoding.UTF16, text=[text]))
    if tags.artwork is not None:
        tag.add(
            id3.APIC(
                encoding=id3.Encoding.LATIN1,
                mime=tags.artwork.mime_type,
                type=_FRONT_COVER,
                desc="",
                data=tags.artwork.data,
            )
        )
    _add_chapters(tag, chapters[:_MOST_CHAPTERS])
    if tag:  # a tag has at least one frame (id3v2.3.0 3.3)
        tag.save(path, v1=0, v2_version=3, padding=_no_padding)


def write_mp4(path: Path, tags: Tags) -> None:
    """Put names and cover into an M4A; its chapters are the muxer's business."""
    file = MP4(path)
    for name, key in _MP4_NAMES.items():
        if text := getattr(tags, name):
            file[key] = [text]
    if tags.artwork is not None and tags.artwork.mime_type in _MP4_COVERS:
        file["covr"] = [MP4Cover(tags.artwork.data, _MP4_COVERS[tags.artwork.mime_type])]
    file.save(padding=_no_padding)


_MP4_COVERS = {"image/jpeg": MP4Cover.FORMAT_JPEG, "image/png": MP4Cover.FORMAT_PNG}


def _no_padding(_info: object) -> int:
    """Nobody edits the tag in place: padding would only be downloaded."""
    return 0


def _add_chapters(tag: id3.ID3, chapters: Sequence[Chapter]) -> None:
    names = [f"chp{number}" for number in range(len(chapters))]
    for name, chapter in zip(names, chapters, strict=True):
        title = id3.TIT2(encoding=id3.Encoding.UTF16, text=[chapter.title])
        tag.add(
            id3.CHAP(
                element_id=name,
                start_time=chapter.start_ms,
                end_time=chapter.end_ms,
                sub_frames=[title],
            )
        )
    if names:
        flags = id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED
        tag.add(id3.CTOC(element_id="toc", flags=flags, child_element_ids=names, sub_frames=[]))


def _read_id3(path: Path) -> Tags:
    return _from_id3(id3.ID3(path))


def _read_chunked(path: Path) -> Tags:
    """WAV and AIFF keep an ID3 tag in a chunk of its own."""
    file = WAVE(path) if path.open("rb").read(4) != b"FORM" else AIFF(path)
    return Tags() if file.tags is None else _from_id3(file.tags)


def _from_id3(tag: Any) -> Tags:
    texts = {name: _first(getattr(tag.get(key), "text", ())) for name, key in _ID3_NAMES.items()}
    pictures = sorted(tag.getall("APIC"), key=lambda picture: picture.type != _FRONT_COVER)
    artwork = next((_artwork(picture.data, picture.mime) for picture in pictures), None)
    return Tags(**texts, artwork=artwork)


def _read_mp4(path: Path) -> Tags:
    tag: Any = MP4(path).tags or {}
    texts = {name: _first(tag.get(key, ())) for name, key in _MP4_NAMES.items()}
    covers = tag.get("covr", ())
    return Tags(**texts, artwork=_artwork(bytes(covers[0]), "") if covers else None)


def _read_flac(path: Path) -> Tags:
    file = FLAC(path)
    return _from_comments(file.tags or {}, file.pictures)


def _read_ogg(path: Path) -> Tags:
    file = mutagen.File(path, options=[OggVorbis, OggOpus, OggFLAC])
    if file is None or file.tags is None:
        return Tags()
    pictures = [
        Picture(base64.b64decode(block))
        for block in file.tags.get("metadata_block_picture", ())
        if len(block) < 2 * LARGEST_ARTWORK
    ]
    return _from_comments(file.tags, pictures)


def _from_comments(comments: Any, pictures: Sequence[Picture]) -> Tags:
    texts = {name: _first(comments.get(name, ())) for name in _ID3_NAMES}
    ordered = sorted(pictures, key=lambda picture: picture.type != _FRONT_COVER)
    artwork = next((_artwork(picture.data, picture.mime) for picture in ordered), None)
    return Tags(**texts, artwork=artwork)


def _first(values: Sequence[object]) -> str:
    return clean_text(values[0]) if values else ""


def _artwork(data: bytes, mime_type: str) -> Artwork | None:
    """Types are told from the bytes: half of all tags say "image/jpg" or nothing at all."""
    if not 0 < len(data) <= LARGEST_ARTWORK:
        return None
    if data.startswith(b"\xff\xd8\xff"):
        return Artwork(data, "image/jpeg")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Artwork(data, "image/png")
    return Artwork(data, clean_text(mime_type) or "application/octet-stream")


_READERS = {
    Container.MP3: _read_id3,
    Container.ADTS: _read_id3,
    Container.M4A: _read_mp4,
    Container.FLAC: _read_flac,
    Container.OGG: _read_ogg,
    Container.WAV: _read_chunked,
    Container.AIFF: _read_chunked,
}
