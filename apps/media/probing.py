"""What a sound file is, exactly: measured in a confined child, never believed from its name."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from apps.media import sandbox
from apps.media.sandbox import DEFAULT_MEMORY_BYTES, MIB, Limits, OnProgress
from apps.media.sniffing import Container, sniff
from apps.media.tags import Artwork, Chapter, Tags

_INSPECT = "apps.media.child.inspection:inspect"


class Handling(StrEnum):
    """What has to happen before a file is served.

    MP3, and AAC in an M4A that begins with its index, are served byte for byte. REMUX moves the
    same AAC frames into such an M4A: an index at the end keeps players from starting, and podcast
    apps take no bare ADTS stream. ENCODE is for everything else.
    """

    SERVE = "serve"
    REMUX = "remux"
    ENCODE = "encode"


@dataclass(frozen=True, slots=True)
class Probe:
    """Facts about one file.

    `duration_ms` is what players show: counted frames for MP3, less what an encoder asks players
    to trim. `header_bytes` is what comes before the first sound (IAB v2.3, 5.5.3): the ID3v2 tags
    of an MP3, everything in front of the first media byte of an M4A. `notices` are sentences for
    the person who sent the file, none of them a reason to refuse it.
    """

    container: Container
    codec: str
    handling: Handling
    duration_ms: int
    bitrate_bps: int
    sample_rate: int
    channels: int
    size_bytes: int
    header_bytes: int
    tags: Tags
    chapters: tuple[Chapter, ...]
    notices: tuple[str, ...]

    @property
    def content_type(self) -> str:
        return "audio/mpeg" if self.container is Container.MP3 else "audio/mp4"

    @property
    def extension(self) -> str:
        return "mp3" if self.container is Container.MP3 else "m4a"


def probe(path: Path, *, on_progress: OnProgress | None = None) -> Probe:
    """Measure a file and try its sound.

    Raises `FileRefusedError` with a sentence when it is no sound file, is damaged, cut off, too
    short or a video, and `PreparationError` when reading it had to be stopped.
    """
    with path.open("rb") as file:
        sniffed = sniff(file)
    size = path.stat().st_size
    arguments = {"path": str(path.resolve()), "container": sniffed.container.value}
    result = sandbox.run(
        _INSPECT, arguments, limits=_limits(sniffed.container, size), on_progress=on_progress
    )
    return _probe(sniffed.container, size, result)


def _limits(container: Container, size_bytes: int) -> Limits:
    """One core decodes 5 MiB of MP3 a second at the very least; a busy machine gets more time.

    An MP3 is mapped to count its frames, and a mapping counts as address space.
    """
    work = math.ceil(size_bytes / MIB / 2)
    mapped = size_bytes if container is Container.MP3 else 0
    return Limits(
        wall_seconds=120 + 4 * work,
        cpu_seconds=30 + work,
        memory_bytes=DEFAULT_MEMORY_BYTES + mapped,
    )


def _probe(container: Container, size: int, result: dict[str, Any]) -> Probe:
    artwork = result["artwork"]
    return Probe(
        container=container,
        codec=result["codec"],
        handling=Handling(result["handling"]),
        duration_ms=result["duration_ms"],
        bitrate_bps=result["bitrate_bps"],
        sample_rate=result["sample_rate"],
        channels=result["channels"],
        size_bytes=size,
        header_bytes=result["header_bytes"],
        tags=Tags(
            title=result["title"],
            artist=result["artist"],
            album=result["album"],
            artwork=None if artwork is None else Artwork(base64.b64decode(artwork[0]), artwork[1]),
        ),
        chapters=tuple(Chapter(*chapter) for chapter in result["chapters"]),
        notices=tuple(result["notices"]),
    )
