"""What a page is told of an episode's audio: the same facts over the socket and the API."""

from collections.abc import Iterable
from uuid import UUID

from apps.core.announcing import announce


def group_name(episode_id: UUID) -> str:
    """The channel layer's group of the pages that show this episode's audio."""
    return f"episode-audio.{episode_id}"


def announce_change(episode_ids: Iterable[UUID]) -> None:
    """Have the open pages of these episodes read the state anew."""
    announce(map(group_name, set(episode_ids)), {"type": "audio.changed"})


def announce_progress(
    episode_ids: Iterable[UUID], asset_id: UUID, stage: str, percent: int
) -> None:
    """Tell the open pages of these episodes how far the preparation is."""
    message = {
        "type": "audio.progress",
        "asset": str(asset_id),
        "stage": stage,
        "progress": percent,
    }
    announce(map(group_name, set(episode_ids)), message)
