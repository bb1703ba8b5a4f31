"""A show's episodes by the downloads of their first days, without adding them all up each time.

What an episode had in its first days stays as it is once those days are closed, so that these
numbers are remembered for a day. They serve to sort; whoever shows a number reads it anew.
"""

from datetime import datetime, timedelta
from uuid import UUID

import redis
from django.core.cache import cache

from apps.downloads.episode_curves import Published, downloads_within
from apps.downloads.window import KEY_LIFETIME

_SECONDS = 24 * 3600


def by_first_days(published: Published, *, show: UUID, days: int, now: datetime) -> dict[UUID, int]:
    """The downloads of the episodes whose first ``days`` days have passed."""
    over = {number: at for number, at in published if at <= now - timedelta(days=days)}
    name = f"first-days:{show}:{days}"
    known = {number: count for number, count in _remembered(name).items() if number in over}
    missing = [(number, at) for number, at in over.items() if number not in known]
    found = downloads_within(missing, show=show, days=days) if missing else {}
    counts = known | {number: found.get(number, 0) for number, _ in missing}
    final_since = now - timedelta(days=days + 1) - KEY_LIFETIME
    final = {number: count for number, count in counts.items() if over[number] <= final_since}
    if final.keys() != known.keys():
        _remember(name, final)
    return counts


def _remembered(name: str) -> dict[UUID, int]:
    try:
        found: dict[UUID, int] = cache.get(name) or {}
    except (redis.RedisError, OSError):
        return {}
    return found


def _remember(name: str, counts: dict[UUID, int]) -> None:
    try:
        cache.set(name, counts, _SECONDS)
    except (redis.RedisError, OSError):
        return
