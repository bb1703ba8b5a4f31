"""Which recount the figures come from: only a new one may make a number on a page smaller."""

import redis

from apps.core import valkey
from apps.core.clock import now


def recounted() -> None:
    """To be called once a recount is in place: open boards are read anew, and may show less.

    Raises redis.RedisError when Valkey is away; pages opened later are right in any case.
    """
    valkey.connection().set(_key(), int(now().timestamp() * 1000))


def read_revision(client: redis.Redis) -> int:
    """The last recount of the installation, as a number that no other one has; 0 before any.

    It goes with Valkey's data, which looks like another recount: pages then take the next message
    as it is.
    """
    found = client.get(_key())
    return int(found) if isinstance(found, bytes) else 0


def _key() -> str:
    return valkey.key("counting", "revision")
