"""What the instance holds to measure with, known without Django."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bench.load.job import Target

HANDLE = "bench"
EPISODES = 300


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An episode's audio: where it is answered, and where its bytes are."""

    episode: UUID
    rendition: UUID
    path: Path
    key: str  # relative to the media folder

    @property
    def as_episode(self) -> Target:
        """At its public address."""
        return Target(f"/media/{self.episode}/episode.mp3", str(self.path))

    @property
    def as_file(self) -> Target:
        """As a file server names it."""
        return Target(f"/{self.key}", str(self.path))


@dataclass(frozen=True, slots=True)
class Seeded:
    """A show with EPISODES episodes, the first of them with large files of their own."""

    show: UUID
    organization: UUID
    email: str  # of the owner
    password: str
    media_root: Path
    large: tuple[StoredFile, ...]
    small: tuple[StoredFile, ...]  # episodes that share one file
    feed_xml: bytes
