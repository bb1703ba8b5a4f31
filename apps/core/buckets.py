"""How often somebody may do something: buckets that drain steadily, shared by all processes.

The generic cell rate algorithm (ITU-T I.371, annex A): a bucket is kept as one number, the
theoretical arrival time of the next request. Headers: draft-ietf-httpapi-ratelimit-headers-10.
"""

import logging
from dataclasses import dataclass
from functools import cache
from math import ceil

from redis.commands.core import Script
from redis.exceptions import RedisError

from apps.core import valkey

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60

# KEYS[1]: the bucket. ARGV: milliseconds that one request costs, and that the bucket holds.
# Answers: whether it is let through, and how full the bucket is now, in milliseconds.
_SPEND = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local cost, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(0, (tonumber(redis.call('GET', KEYS[1])) or 0) - now)
if full + cost > size then
  return {0, math.ceil(full)}
end
redis.call('SET', KEYS[1], now + full + cost, 'PX', math.ceil(full + cost))
return {1, math.ceil(full + cost)}
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left after a request."""

    is_allowed: bool
    quota: int  # requests a window, and at most at once
    remaining: int
    reset_seconds: int  # until all of the quota is there again
    wait_seconds: int  # until one more request is let through

    def headers(self) -> dict[str, str]:
        """``RateLimit-Policy`` and ``RateLimit``, for the API's window of a minute."""
        return {
            "RateLimit-Policy": f'"api";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"api";r={self.remaining};t={self.reset_seconds}',
        }


def spend_from(name: str, quota: int, *, window_seconds: int = WINDOW_SECONDS) -> Spent | None:
    """Count one of ``quota`` in a window; None when nobody can count, which stops nobody."""
    size = window_seconds * 1000
    cost = size / quota
    try:
        is_allowed, full = _script()(keys=[valkey.key("api-rate", name)], args=[cost, size])
    except (RedisError, OSError) as error:
        logger.warning("Requests are not limited: %s", error)
        return None
    return Spent(
        is_allowed=bool(is_allowed),
        quota=quota,
        remaining=int((size - full) / cost),
        reset_seconds=ceil(full / 1000),
        wait_seconds=max(1, ceil((full + cost - size) / 1000)),
    )


@cache
def _script() -> Script:
    return valkey.connection().register_script(_SPEND)
