"""How a file becomes one that every podcast app plays: encoded to MP3, or its AAC rewrapped."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

from apps.media import sandbox
from apps.media.probing import Handling, Probe
from apps.media.sandbox import MIB, Limits, OnProgress

_ENCODE = "apps.media.child.transcoding:encode_mp3"
_REMUX = "apps.media.child.transcoding:remux_m4a"
_HIGHEST_BITRATE = 128_000
_ROOM_FOR_TAGS = 32 * MIB


def make_playable(
    source: Path, target: Path, probe: Probe, *, on_progress: OnProgress | None = None
) -> None:
    """Write to `target` what is served in place of `source`, which `probe` describes.

    Not for a file that is served as it is. Titles, cover and chapters are carried over. The same
    source gives the same bytes. Raises `FileRefusedError` when the sound breaks off or can't be
    decoded, and `PreparationError` when the work had to be stopped; `target` is then removed.
    """
    if probe.handling is Handling.SERVE:
        raise ValueError("this file is served as it is")
    arguments = {
        "source": str(source.resolve()),
        "target": str(target.resolve()),
        "container": probe.container.value,
        "duration_ms": probe.duration_ms,
        **_tag_arguments(probe),
    }
    encode = probe.handling is Handling.ENCODE
    try:
        sandbox.run(
            _ENCODE if encode else _REMUX,
            arguments,
            limits=_encoding_limits(probe) if encode else _remuxing_limits(probe),
            on_progress=on_progress,
        )
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def playable_extension(probe: Probe) -> str:
    """The extension, without its dot, of what `make_playable` writes."""
    return "mp3" if probe.handling is Handling.ENCODE else "m4a"


def _encoding_limits(probe: Probe) -> Limits:
    """One core encodes an hour in about a minute; a fifth of that speed is still waited for."""
    seconds = math.ceil(probe.duration_ms / 1000)
    return Limits(
        wall_seconds=300 + seconds / 2,
        cpu_seconds=120 + seconds // 8,
        written_bytes=math.ceil(seconds * _HIGHEST_BITRATE / 8 * 1.05) + _ROOM_FOR_TAGS,
    )


def _remuxing_limits(probe: Probe) -> Limits:
    work = math.ceil(probe.size_bytes / MIB)
    return Limits(
        wall_seconds=120 + 4 * work,
        cpu_seconds=30 + work,
        written_bytes=2 * probe.size_bytes + _ROOM_FOR_TAGS,
    )


def _tag_arguments(probe: Probe) -> dict[str, Any]:
    artwork = probe.tags.artwork
    return {
        "title": probe.tags.title,
        "artist": probe.tags.artist,
        "album": probe.tags.album,
        "artwork": artwork and (base64.b64encode(artwork.data).decode(), artwork.mime_type),
        "chapters": [
            (chapter.start_ms, chapter.end_ms, chapter.title) for chapter in probe.chapters
        ],
    }
