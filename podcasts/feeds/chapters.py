"""An episode's chapters in the JSON format of the Podcasting 2.0 namespace, version 1.2."""

from typing import Any
from uuid import UUID

from apps.core.clock import now
from apps.core.database import in_database
from podcasts.models import Episode


def chapters_document(chapters: list[dict[str, Any]]) -> dict[str, Any]:
    """The document for chapters as an asset stores them: times in seconds."""
    return {
        "version": "1.2.0",
        "chapters": [
            {
                "startTime": chapter["start_ms"] / 1000,
                "endTime": chapter["end_ms"] / 1000,
                "title": chapter["title"],
            }
            for chapter in chapters
        ],
    }


async def find_chapters(episode_id: UUID) -> dict[str, Any] | None:
    """The chapters of a public episode; None for a stranger to anything else."""
    return await in_database(_read, episode_id)


def _read(episode_id: UUID) -> dict[str, Any] | None:
    episode = Episode.objects.published(now()).filter(id=episode_id).select_related("audio").first()
    if episode is None or episode.audio is None or not episode.audio.chapters:
        return None
    return chapters_document(episode.audio.chapters)
