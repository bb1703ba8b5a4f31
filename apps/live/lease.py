"""Which of several processes tells the boards: they must not hear everything twice."""

import redis

from apps.core import valkey

LEASE_MS = 3000

_HOLD = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return 1
end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return 1
end
return 0
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('DEL', KEYS[1])
end
"""


class Lease:
    """One process's claim to be the one that publishes."""

    def __init__(self, owner: str) -> None:
        self._owner = owner.encode()

    def hold(self) -> bool:
        """Take or renew it; false while somebody else has it."""
        client = valkey.connection()
        held = client.eval(_HOLD, 1, _key(), self._owner, LEASE_MS)
        return bool(held)

    def release(self) -> None:
        """Let the next one have it at once; after a death it runs out by itself."""
        try:
            valkey.connection().eval(_RELEASE, 1, _key(), self._owner)
        except (redis.RedisError, OSError):
            return


def _key() -> str:
    return valkey.key("live", "publisher")
