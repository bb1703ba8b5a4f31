"""A show's episodes by the downloads of their first days, without adding them all up each time.

What an episode had in its first days stays as it is once those days are closed, so that these
numbers are remembered for some days, those of large shows before anybody asks. They serve to
sort; whoever shows a number reads it anew.
"""

from datetime import datetime, timedelta
from uuid import UUID

import redis
from django.core.cache import cache
from django.db.models import Count

from apps.downloads.episode_curves import Published, downloads_within
from apps.downloads.window import KEY_LIFETIME
from podcasts.models import Episode

MANY_EPISODES = 100
"""Shows with fewer are added up in a few milliseconds when somebody asks."""
SORTED_DAYS = (7, 30, 90)

_SECONDS = 3 * 24 * 3600


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


def remember_large_shows(*, now: datetime) -> int:
    """Add up the first days of shows with many episodes; how many shows. Once a day is enough."""
    published = Episode.objects.filter(published_at__lte=now, deleted_at=None)
    large = (
        published.values_list("show_id")
        .annotate(episodes=Count("id"))
        .filter(episodes__gte=MANY_EPISODES)
        .order_by()
    )
    shows = [show for show, _ in large]
    for show in shows:
        episodes = [
            (number, at)
            for number, at in published.filter(show_id=show).values_list("id", "published_at")
            if at is not None
        ]
        for days in SORTED_DAYS:
            by_first_days(episodes, show=show, days=days, now=now)
    return len(shows)


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
