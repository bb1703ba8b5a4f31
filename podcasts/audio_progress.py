"""What a page is told of an episode's audio: the same facts over the socket and the API."""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def group_name(episode_id: UUID) -> str:
    """The channel layer's group of the pages that show this episode's audio."""
    return f"episode-audio.{episode_id}"


def announce_change(episode_ids: Iterable[UUID]) -> None:
    """Have the open pages of these episodes read the state anew."""
    for episode_id in set(episode_ids):
        _send(episode_id, {"type": "audio.changed"})


def announce_progress(
    episode_ids: Iterable[UUID], asset_id: UUID, stage: str, percent: int
) -> None:
    """Tell the open pages of these episodes how far the preparation is."""
    for episode_id in set(episode_ids):
        _send(
            episode_id,
            {
                "type": "audio.progress",
                "asset": str(asset_id),
                "stage": stage,
                "progress": percent,
            },
        )


def _send(episode_id: UUID, message: dict[str, Any]) -> None:
    """A page that misses a message asks again by itself: no work fails because nobody was told."""
    try:
        async_to_sync(get_channel_layer().group_send)(group_name(episode_id), message)
    except (RedisError, OSError) as error:
        logger.warning("The pages of episode %s could not be told: %s", episode_id, error)
