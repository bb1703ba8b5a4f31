"""What a file that is no podcast audio seems to be, and what its sender can do about it."""

from __future__ import annotations

import re
from typing import NoReturn

from apps.media.refusals import FileRefusedError

_EXPORT = "Export the episode as MP3, M4A, WAV or FLAC and upload that."
_PLAYLIST = (
    "This is {}: a list that points to audio elsewhere, not the audio itself. "
    "Upload the audio file it points to."
)
_PICTURE = (
    "This is a picture ({}), not audio. Upload the audio here; the cover has a field of its own."
)
_ARCHIVE = "This is an archive ({}), not audio. Unpack it and upload the audio file inside."
_DOCUMENT = "This is {}, not audio. " + _EXPORT
_VIDEO = "This is a video ({}). Export only its sound as MP3, M4A, WAV or FLAC and upload that."
_OTHER_AUDIO = "This is {}, which is not accepted. " + _EXPORT

_SIGNATURES: tuple[tuple[int, bytes, str, str, str], ...] = (
    (0, b"\xff\xd8\xff", "picture", _PICTURE, "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "picture", _PICTURE, "PNG"),
    (0, b"GIF8", "picture", _PICTURE, "GIF"),
    (8, b"WEBP", "picture", _PICTURE, "WebP"),
    (0, b"II*\0", "picture", _PICTURE, "TIFF"),
    (0, b"MM\0*", "picture", _PICTURE, "TIFF"),
    (0, b"8BPS", "picture", _PICTURE, "Photoshop"),
    (0, b"PK\x03\x04", "archive", _ARCHIVE, "ZIP"),
    (0, b"PK\x05\x06", "archive", _ARCHIVE, "ZIP"),
    (0, b"Rar!\x1a\x07", "archive", _ARCHIVE, "RAR"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive", _ARCHIVE, "7-Zip"),
    (0, b"\x1f\x8b", "archive", _ARCHIVE, "gzip"),
    (0, b"BZh", "archive", _ARCHIVE, "bzip2"),
    (0, b"\xfd7zXZ\0", "archive", _ARCHIVE, "xz"),
    (0, b"\x28\xb5\x2f\xfd", "archive", _ARCHIVE, "Zstandard"),
    (257, b"ustar", "archive", _ARCHIVE, "tar"),
    (0, b"%PDF-", "document", _DOCUMENT, "a PDF document"),
    (0, b"{\\rtf", "document", _DOCUMENT, "a text document (RTF)"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "document", _DOCUMENT, "an Office document"),
    (0, b"SQLite format 3\0", "document", _DOCUMENT, "a database"),
    (0, b"MZ", "program", _DOCUMENT, "a program for Windows"),
    (0, b"\x7fELF", "program", _DOCUMENT, "a program for Linux"),
    (0, b"\xcf\xfa\xed\xfe", "program", _DOCUMENT, "a program for macOS"),
    (0, b"\xca\xfe\xba\xbe", "program", _DOCUMENT, "a program"),
    (0, b"\x1aE\xdf\xa3", "video", _VIDEO, "WebM or Matroska"),
    (8, b"AVI ", "video", _VIDEO, "AVI"),
    (0, b"FLV\x01", "video", _VIDEO, "Flash"),
    (0, b"\0\0\x01\xba", "video", _VIDEO, "MPEG"),
    (0, b"\0\0\x01\xb3", "video", _VIDEO, "MPEG"),
    (4, b"moov", "video", _VIDEO, "QuickTime"),
    (4, b"mdat", "video", _VIDEO, "QuickTime"),
    (4, b"wide", "video", _VIDEO, "QuickTime"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "other-audio", _OTHER_AUDIO, "Windows Media"),
    (0, b"#!AMR", "other-audio", _OTHER_AUDIO, "an AMR phone recording"),
    (0, b"caff", "other-audio", _OTHER_AUDIO, "an Apple CAF file"),
    (0, b"MThd", "other-audio", _OTHER_AUDIO, "a MIDI file: notes without sound"),
    (0, b"wvpk", "other-audio", _OTHER_AUDIO, "a WavPack file"),
    (0, b"MAC ", "other-audio", _OTHER_AUDIO, "a Monkey's Audio file"),
    (0, b"riff\x2e\x91\xcf\x11", "other-audio", _OTHER_AUDIO, "a Wave64 file"),
    (0, b".snd", "other-audio", _OTHER_AUDIO, "a Sun audio file"),
    (0, b"AUP3", "other-audio", _OTHER_AUDIO, "an Audacity project"),
)

# Matched against the lower-cased beginning of a text, behind its prolog.
_TEXTS: tuple[tuple[re.Pattern[str], str, str, str], ...] = (
    (re.compile(r"#extm3u"), "playlist", _PLAYLIST, "a playlist (M3U or HLS)"),
    (re.compile(r"ffconcat\s"), "playlist", _PLAYLIST, "a playlist (ffconcat)"),
    (re.compile(r"\[playlist\]"), "playlist", _PLAYLIST, "a playlist (PLS)"),
    (re.compile(r"\[reference\]"), "playlist", _PLAYLIST, "a playlist (ASX)"),
    (re.compile(r"<mpd[\s>]"), "playlist", _PLAYLIST, "a playlist (DASH)"),
    (re.compile(r"<playlist[\s>]"), "playlist", _PLAYLIST, "a playlist (XSPF)"),
    (re.compile(r"<(asx|smil)[\s>]"), "playlist", _PLAYLIST, "a playlist"),
    (re.compile(r"<(!doctype )?svg[\s>]"), "picture", _PICTURE, "SVG"),
    (re.compile(r"<(rss|feed)[\s>]"), "document", _DOCUMENT, "a feed"),
    (re.compile(r"<(!doctype )?(html|head|body)[\s>]"), "web-page", _DOCUMENT, "a web page"),
    (re.compile(r"webvtt"), "document", _DOCUMENT, "a transcript (WebVTT)"),
    (re.compile(r"#!"), "program", _DOCUMENT, "a script"),
    (re.compile(r"[{\[]"), "document", _DOCUMENT, "a data file (JSON)"),
    (re.compile(r"<"), "document", _DOCUMENT, "an XML document"),
)

_PICTURE_BRANDS = {b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx "}
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_PROLOG = (("<?", "?>"), ("<!--", "-->"))
_TEXT_HEAD = 4096
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")


def refuse_known(window: bytes) -> None:
    """Raise `FileRefusedError` when the beginning is that of a known thing that is not audio."""
    for at, mark, code, sentence, name in _SIGNATURES:
        if window[at : at + len(mark)] == mark:
            raise FileRefusedError(code, sentence.format(name))
    if window[::188][:4] == b"GGGG":
        raise FileRefusedError("video", _VIDEO.format("MPEG transport stream"))
    text = _as_text(window[:_TEXT_HEAD])
    if text is not None:
        _refuse_text(text)


def refuse_brand(brand: bytes) -> None:
    """MP4's wrapping also holds photographs: refuse those by their brand."""
    if brand in _PICTURE_BRANDS:
        raise FileRefusedError("picture", _PICTURE.format("HEIC or AVIF"))


def refuse_unknown(window: bytes) -> NoReturn:
    """The last word on a file that nothing recognised."""
    if window[0] == 0xFF and window[1:2] and window[1] & 0xE0 == 0xE0:
        raise FileRefusedError(
            "broken",
            "This begins like MPEG audio, but no MP3 frames follow one another. The file is "
            "damaged, too short, or not layer III. " + _EXPORT,
        )
    text = _as_text(window[:_TEXT_HEAD])
    if text is not None and _mostly_ascii(text):
        raise FileRefusedError("text", _DOCUMENT.format("text"))
    raise FileRefusedError("unknown", "No audio could be recognised in this file. " + _EXPORT)


def _as_text(head: bytes) -> str | None:
    """The beginning as lower-case text, or None when it holds what texts don't."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            text = head[len(mark) :].decode(encoding, errors="ignore")
            break
    else:
        # Latin-1 takes any byte: letters in whatever encoding are text, control bytes are not.
        text = head.decode("latin-1")
    if not text or len(_CONTROLS.findall(text)) > len(text) // 200:
        return None
    return text.lower()


def _refuse_text(text: str) -> None:
    beginning = _behind_prolog(text)
    for pattern, code, sentence, name in _TEXTS:
        if pattern.match(beginning):
            raise FileRefusedError(code, sentence.format(name))


def _behind_prolog(text: str) -> str:
    """The text behind XML declarations and comments; linear, unlike a pattern for the same."""
    rest = text.lstrip()
    for opening, closing in _PROLOG * 8:
        if rest.startswith(opening):
            _, found, behind = rest.partition(closing)
            rest = behind.lstrip() if found else rest
    return rest


def _mostly_ascii(text: str) -> bool:
    """Asked last: an encoder fills silent frames with the letter U."""
    return sum(character < "\x80" for character in text) > len(text) * 0.7
