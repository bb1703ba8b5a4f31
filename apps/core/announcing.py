"""Telling open pages that something changed: rooms below speak to the sockets of the room above."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def person_group(user_id: UUID) -> str:
    """The channel layer's group of everything that one person has open."""
    return f"user.{user_id}"


def token_group(token_id: UUID) -> str:
    """As :func:`person_group`, of what one API token has open."""
    return f"token.{token_id}"


def organization_tokens_group(organization_id: UUID) -> str:
    """As :func:`person_group`, of what all tokens of an organisation have open."""
    return f"tokens.{organization_id}"


def announce(groups: Iterable[str], message: Mapping[str, Any]) -> None:
    """Send to each group. No work fails because nobody could be told: pages ask by themselves."""
    try:
        async_to_sync(_send)(list(groups), message)
    except (RedisError, OSError) as error:
        logger.warning("Open pages could not be told of %s: %s", message["type"], error)


async def _send(groups: list[str], message: Mapping[str, Any]) -> None:
    layer: Any = get_channel_layer()
    for group in groups:
        await layer.group_send(group, dict(message))
