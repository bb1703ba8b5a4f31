"""The memory of which file was which episode's audio, and since when."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from apps.core.clock import now
from apps.downloads.logs.models import AudioVersion

# The newest rendition of an episode's audio is what is served: Asset.rendition. Nearly always
# nothing is new: what is not known yet is found first, and looked at more closely then.
_REMEMBER = """
WITH unknown AS MATERIALIZED (
    SELECT
        episode.organization_id, episode.show_id, episode.id AS episode_id, rendition.*
    FROM podcasts_episode AS episode
    JOIN media_rendition AS rendition ON rendition.asset_id = episode.audio_id
    LEFT JOIN logs_audioversion AS known
        ON known.episode_id = episode.id AND known.rendition_id = rendition.id
    WHERE known.id IS NULL
)
INSERT INTO logs_audioversion (
    organization_id, show_id, episode_id, rendition_id, storage_key, sha256,
    size_bytes, header_bytes, duration_ms, since
)
SELECT
    organization_id, show_id, episode_id, id, storage_key, sha256,
    size_bytes, header_bytes, duration_ms, %s
FROM unknown
WHERE id = (
    SELECT id FROM media_rendition AS newest
    WHERE newest.asset_id = unknown.asset_id
    ORDER BY created_at DESC, id DESC
    LIMIT 1
)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Audio:
    """A file as a hit names it; ``since_ms`` is Unix time."""

    episode: UUID
    show: UUID
    organization: UUID
    rendition: UUID
    storage_key: str
    sha256: str
    size_bytes: int
    header_bytes: int
    duration_ms: int
    since_ms: int


def remember_current() -> int:
    """Remember the audio that episodes have now; how much of it was new."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [now()])
        return int(cursor.rowcount)


def audio_of_episodes(episode_ids: Iterable[UUID]) -> dict[UUID, tuple[Audio, ...]]:
    """All versions of each episode's audio, oldest first."""
    found = defaultdict[UUID, list[Audio]](list)
    rows = AudioVersion.objects.filter(episode_id__in=set(episode_ids)).order_by("since", "id")
    for row in rows:
        found[row.episode_id].append(_audio(row))
    return {episode: tuple(versions) for episode, versions in found.items()}


def audio_under_keys(keys: Iterable[str]) -> dict[str, tuple[Audio, ...]]:
    """What is or was stored under each key: the same file may be several episodes' audio."""
    found = defaultdict[str, list[Audio]](list)
    for row in AudioVersion.objects.filter(storage_key__in=set(keys)).order_by("since", "id"):
        found[row.storage_key].append(_audio(row))
    return {key: tuple(versions) for key, versions in found.items()}


def _audio(row: AudioVersion) -> Audio:
    return Audio(
        episode=row.episode_id,
        show=row.show_id,
        organization=row.organization_id,
        rendition=row.rendition_id,
        storage_key=row.storage_key,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        header_bytes=row.header_bytes,
        duration_ms=row.duration_ms,
        since_ms=int(row.since.timestamp() * 1000),
    )
