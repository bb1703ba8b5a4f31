"""Which stored file an episode's stable address answers with."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from apps.core.clock import now
from apps.core.database import in_database
from apps.core.local_cache import Bounds
from apps.core.read_through import ReadThrough
from podcasts.models import Episode
from podcasts.querysets import EpisodeQuerySet

# How long a lost invalidation (Valkey away at the moment of the change) may be seen.
LIFETIME_SECONDS = 300
_KEPT_IN_PROCESS = 20_000  # at about a kilobyte each


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class EpisodeAudio:
    """An episode's current rendition, with everything that serving and counting need.

    Until something changes, the same object is found again and again: what is derived from it
    can be kept by its identity.
    """

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
    delivery: str = ""  # the show's stored choice: see apps.media.delivery

    def packed(self) -> bytes:
        """As Valkey keeps it."""
        return json.dumps(
            {field.name: getattr(self, field.name) for field in fields(self)}, default=str
        ).encode()

    @classmethod
    def unpacked(cls, content: bytes) -> Self:
        """The opposite of `packed`."""
        values: dict[str, Any] = json.loads(content)
        for name in ("episode", "show", "organization", "rendition"):
            values[name] = UUID(values[name])
        values["created_at"] = datetime.fromisoformat(values["created_at"])
        return cls(**values)


_kept = ReadThrough[UUID, EpisodeAudio](
    "audio",
    parse_key=UUID,
    pack=EpisodeAudio.packed,
    unpack=EpisodeAudio.unpacked,
    lifetime_seconds=LIFETIME_SECONDS,
    bounds=Bounds(entries=_KEPT_IN_PROCESS),
)


async def find_public_audio(episode_id: UUID) -> EpisodeAudio | None:
    """What anybody may hear; None for a draft, one in the trash, or one not yet due."""
    return await _kept.find(episode_id, _load_public)


async def find_preview_audio(episode_id: UUID) -> EpisodeAudio | None:
    """What a member may hear: any living episode that has audio."""
    return await in_database(_load, Episode.objects.alive(), episode_id)


def forget(episode_ids: Iterable[UUID]) -> None:
    """To be called when a change of an episode's audio or of its being public is committed."""
    _kept.announce_change(episode_ids)


def _load_public(episode_id: UUID) -> EpisodeAudio | None:
    return _load(Episode.objects.published(now()), episode_id)


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
        delivery=episode.show.delivery,
    )
