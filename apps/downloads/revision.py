"""Which recount the figures come from: only a new one may make a number on a page smaller."""

import logging

import redis

from apps.core import valkey
from apps.core.clock import now

logger = logging.getLogger(__name__)


def recounted() -> None:
    """To be called once totals may be smaller than before: open boards are read anew.

    Without Valkey they are when they are reloaded.
    """
    try:
        valkey.connection().set(_key(), int(now().timestamp() * 1000))
    except (redis.RedisError, OSError):
        logger.warning("Open dashboards were not told of a recount")


def read_revision(client: redis.Redis) -> int:
    """The last recount of the installation, as a number that no other one has; 0 before any.

    It goes with Valkey's data, which looks like another recount: pages then take the next message
    as it is.
    """
    found = client.get(_key())
    return int(found) if isinstance(found, bytes) else 0


def _key() -> str:
    return valkey.key("counting", "revision")
