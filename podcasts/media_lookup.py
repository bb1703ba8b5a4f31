"""Which stored file an episode's stable address answers with."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, Self
from uuid import UUID

from apps.core import valkey
from apps.core.clock import now
from apps.core.database import in_database
from apps.core.read_through import Record, announce_change, read_record
from podcasts.models import Episode
from podcasts.querysets import EpisodeQuerySet

# How long a lost invalidation (Valkey away at the moment of the change) may be seen.
LIFETIME_SECONDS = 300


@dataclass(frozen=True, slots=True)
class EpisodeAudio:
    """An episode's current rendition, with everything that serving and counting need."""

    episode: UUID
    show: UUID
    organization: UUID
    rendition: UUID
    slug: str
    storage_key: str
    sha256: str
    content_type: str
    extension: str
    size_bytes: int
    header_bytes: int
    duration_ms: int
    created_at: datetime

    def to_record(self) -> Record:
        """Values that JSON can hold."""
        return {
            name: value if isinstance(value, int) else str(value)
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """The opposite of `to_record`."""
        ids = {
            name: UUID(record[name]) for name in ("episode", "show", "organization", "rendition")
        }
        created_at = datetime.fromisoformat(record["created_at"])
        values: dict[str, Any] = record | ids | {"created_at": created_at}
        return cls(**values)


async def find_public_audio(episode_id: UUID) -> EpisodeAudio | None:
    """What anybody may hear; None for a draft, one in the trash, or one not yet due."""
    record = await read_record(
        _key(episode_id), partial(_load_public, episode_id), lifetime_seconds=LIFETIME_SECONDS
    )
    return None if record is None else EpisodeAudio.from_record(record)


async def find_preview_audio(episode_id: UUID) -> EpisodeAudio | None:
    """What a member may hear: any living episode that has audio."""
    return await in_database(_load, Episode.objects.alive(), episode_id)


def forget(episode_ids: Iterable[UUID]) -> None:
    """To be called when a change of an episode's audio or of its being public is committed."""
    announce_change(*map(_key, episode_ids))


def _key(episode_id: UUID) -> str:
    return valkey.key("audio", episode_id)


def _load_public(episode_id: UUID) -> Record | None:
    audio = _load(Episode.objects.published(now()), episode_id)
    return None if audio is None else audio.to_record()


def _load(episodes: EpisodeQuerySet, episode_id: UUID) -> EpisodeAudio | None:
    episode = episodes.filter(id=episode_id).with_media().first()
    rendition = episode.audio.rendition if episode and episode.audio else None
    if episode is None or rendition is None:
        return None
    return EpisodeAudio(
        episode=episode.id,
        show=episode.show_id,
        organization=episode.organization_id,
        rendition=rendition.id,
        slug=episode.slug,
        storage_key=rendition.storage_key,
        sha256=rendition.sha256,
        content_type=rendition.content_type,
        extension=rendition.extension,
        size_bytes=rendition.size_bytes,
        header_bytes=rendition.header_bytes,
        duration_ms=rendition.duration_ms,
        created_at=rendition.created_at,
    )
