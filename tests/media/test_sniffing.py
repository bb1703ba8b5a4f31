"""The type comes from the content; what is no audio is refused by name."""

import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.media.refusals import FileRefusedError
from apps.media.sniffing import Container, sniff

MP3_FRAME = b"\xff\xfb\x90\x00" + b"\x55" * 413
MONO_24K_FRAME = b"\xff\xf3\x84\xc4" + b"\x55" * 188


def id3(body: int, *, claimed: int | None = None, footer: bool = False) -> bytes:
    size = body if claimed is None else claimed
    packed = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    tail = b"3DI" + b"\x04\0\x10" + packed if footer else b""
    return b"ID3\x04\0" + (b"\x10" if footer else b"\0") + packed + b"\0" * body + tail


def adts_frame(length: int = 200) -> bytes:
    header = bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5])
    return header + b"\xfc" + b"\x21" * (length - 7)


ACCEPTED = {
    "raw mp3": (MP3_FRAME * 6, Container.MP3, 0),
    "mpeg-2 mono mp3": (MONO_24K_FRAME * 6, Container.MP3, 0),
    "mp3 behind ID3v2": (id3(300) + MP3_FRAME * 6, Container.MP3, 310),
    "mp3 behind ID3v2 with a footer": (id3(300, footer=True) + MP3_FRAME * 6, Container.MP3, 320),
    "mp3 behind two tags": (id3(50) + id3(60) + MP3_FRAME * 6, Container.MP3, 130),
    "mp3 behind a tag of 5 MB": (id3(5_000_000) + MP3_FRAME * 6, Container.MP3, 5_000_010),
    "mp3 behind undeclared zeros": (b"\0" * 3000 + MP3_FRAME * 6, Container.MP3, 0),
    "mp3 behind a little junk": (b"\x01\x9c\xf3\x80" * 500 + MP3_FRAME * 6, Container.MP3, 0),
    "m4a": (b"\0\0\0\x20ftypM4A " + b"\0" * 20, Container.M4A, 0),
    "adts": (adts_frame() * 4, Container.ADTS, 0),
    "adts behind ID3v2": (id3(20) + adts_frame() * 4, Container.ADTS, 30),
    "wav": (b"RIFF\xff\0\0\0WAVEfmt ", Container.WAV, 0),
    "wav over 4 GB": (b"RF64\xff\xff\xff\xffWAVEds64", Container.WAV, 0),
    "flac": (b"fLaC\0\0\0\x22" + b"\x10" * 34, Container.FLAC, 0),
    "flac behind ID3v2": (id3(100) + b"fLaC\0\0\0\x22", Container.FLAC, 110),
    "ogg": (b"OggS\0\x02" + b"\x10" * 30, Container.OGG, 0),
    "aiff": (b"FORM\0\0\1\0AIFFCOMM", Container.AIFF, 0),
}


@pytest.mark.parametrize(("content", "container", "offset"), ACCEPTED.values(), ids=ACCEPTED)
def test_audio_is_told_by_its_content(content: bytes, container: Container, offset: int) -> None:
    sniffed = sniff(io.BytesIO(content))

    assert (sniffed.container, sniffed.audio_offset) == (container, offset)


REFUSED = {
    "nothing": (b"", "empty"),
    "only zeros": (b"\0" * 5000, "no-audio"),
    "a tag alone with padding behind": (id3(100) + b"\0" * 500, "no-audio"),
    "a tag that claims 200 MB": (id3(50, claimed=200_000_000) + MP3_FRAME * 9, "broken-tag"),
    "HLS": (b"#EXTM3U\n#EXTINF:9,\nself.mp3\n", "playlist"),
    "HLS with BOM": (b"\xef\xbb\xbf#EXTM3U\n", "playlist"),
    "HLS behind blank lines": (b"\r\n\r\n #EXTM3U\n", "playlist"),
    "HLS behind ID3": (id3(64) + b"#EXTM3U\n#EXT-X-VERSION:3\n", "playlist"),
    "ffconcat": (b"ffconcat version 1.0\nfile 'self.mp3'\n", "playlist"),
    "ffconcat in front of real frames": (b"ffconcat version 1.0\n" * 300 + MP3_FRAME, "playlist"),
    "DASH": (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash">', "playlist"),
    "DASH behind comments": (b"<?xml?><!-- a --><!-- b --><MPD >", "playlist"),
    "PLS": (b"[playlist]\nFile1=http://a/b.mp3", "playlist"),
    "XSPF": (b'<?xml version="1.0"?><playlist version="1">', "playlist"),
    "ASX": (b"<asx version='3.0'>", "playlist"),
    "UTF-16 playlist": ("\ufeff#EXTM3U\nself.mp3".encode("utf-16-le"), "playlist"),
    "a web page": (b"<!DOCTYPE html><html><head>", "web-page"),
    "a web page without doctype": (b"\n<html lang=en>", "web-page"),
    "a feed": (b'<?xml version="1.0"?><rss version="2.0">', "document"),
    "JSON": (b'{"error": "expired"}', "document"),
    "an SVG": (b'<?xml version="1.0"?><svg xmlns="x">', "picture"),
    "a JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\x80" * 90, "picture"),
    "a JPEG behind ID3": (id3(30) + b"\xff\xd8\xff\xe0\0\x10JFIF", "picture"),
    "a PNG": (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "picture"),
    "a GIF": (b"GIF89a\1\0\1\0", "picture"),
    "a WebP": (b"RIFF\xff\0\0\0WEBPVP8 ", "picture"),
    "a photograph in MP4's wrapping": (b"\0\0\0\x18ftypheic", "picture"),
    "ZIP": (b"PK\x03\x04\x14\0", "archive"),
    "RAR": (b"Rar!\x1a\x07\1\0", "archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c\0\4", "archive"),
    "gzip": (b"\x1f\x8b\x08\0", "archive"),
    "tar": (b"a.mp3" + b"\0" * 252 + b"ustar\x0000", "archive"),
    "PDF": (b"%PDF-1.7\n", "document"),
    "a Windows program": (b"MZ\x90\0\3", "program"),
    "a Linux program": (b"\x7fELF\2\1\1", "program"),
    "a script": (b"#!/bin/sh\nrm -rf .\n", "program"),
    "plain text": (b"Welcome to the show. " * 30, "text"),
    "WebM": (b"\x1aE\xdf\xa3\x9fB\x86\x81", "video"),
    "AVI": (b"RIFF\xff\0\0\0AVI LIST", "video"),
    "a transport stream": ((b"G" + b"\x81" * 187) * 5, "video"),
    "old QuickTime": (b"\0\0\0\x08wide\0\0\0\0mdat", "video"),
    "Windows Media": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "other-audio"),
    "one MP3 frame": (MP3_FRAME, "broken"),
    "MPEG layer II": ((b"\xff\xfd\xa0\x00" + b"\x55" * 518) * 6, "broken"),
    "random bytes": (bytes((n * 7919 >> 3) % 251 | 0x80 for n in range(4000)), "unknown"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_audio_is_refused_with_a_sentence(content: bytes, code: str) -> None:
    with pytest.raises(FileRefusedError) as refused:
        sniff(io.BytesIO(content))

    assert refused.value.code == code
    assert refused.value.message.endswith(".")


def test_the_sentence_names_what_the_file_is_and_what_to_do() -> None:
    with pytest.raises(FileRefusedError, match=r"a web page, not audio.*Export the episode"):
        sniff(io.BytesIO(b"<!doctype html><title>404</title>"))


def test_a_changing_sample_rate_is_no_mp3() -> None:
    other_rate = b"\xff\xfb\x94\x00" + b"\x55" * 380
    with pytest.raises(FileRefusedError):
        sniff(io.BytesIO((MP3_FRAME + other_rate) * 2))


def test_comments_without_end_are_read_in_linear_time() -> None:
    with pytest.raises(FileRefusedError) as refused:
        sniff(io.BytesIO(b"<!---->" * 9000))

    assert refused.value.code == "document"


@given(st.binary(max_size=600))
def test_any_bytes_are_either_audio_or_refused(content: bytes) -> None:
    offset = 0
    with contextlib.suppress(FileRefusedError):
        offset = sniff(io.BytesIO(content)).audio_offset

    assert offset <= len(content)


@given(st.integers(min_value=0, max_value=(1 << 28) - 1))
def test_a_tag_size_is_read_as_it_was_written(size: int) -> None:
    header = b"ID3\x03\0\0" + struct.pack("4B", *(size >> shift & 0x7F for shift in (21, 14, 7, 0)))
    content = io.BytesIO(header + b"\x01")
    with pytest.raises(FileRefusedError) as refused:
        sniff(content)

    assert refused.value.code == ("broken-tag" if size else "unknown")
