"""Downloads by the minute of the last hour, kept in Valkey: what a sparkline shows.

A picture of the moment like the activity, by the minute in which a download was counted.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast
from uuid import UUID

import redis

from apps.core import valkey
from apps.downloads.activity import Scope, scope_name
from apps.downloads.summary import NewDownload

MINUTES = 60
_EXPIRY_SECONDS = (MINUTES + 5) * 60

type MinuteCounts = Counter[tuple[int, Scope]]
"""By minute (of Unix time) and scope."""


def count_minutes(downloads: Iterable[NewDownload]) -> MinuteCounts:
    """What these downloads add."""
    counts: MinuteCounts = Counter()
    for download in downloads:
        minute = int(download.at.timestamp()) // 60
        for scope in (download.show, download.episode, download.organization, None):
            counts[minute, scope] += 1
    return counts


def store(client: redis.Redis, counts: MinuteCounts, *, tenants: Collection[UUID]) -> None:
    """Add them up; ``tenants`` are those of the scopes that are organisations."""
    pipe = client.pipeline(transaction=False)
    for (minute, scope), count in counts.items():
        pipe.hincrby(_key(minute), scope_name(scope), count)
        if scope in tenants:
            pipe.zincrby(_tenants_key(minute), count, scope_name(scope))
    for minute in {minute for minute, _ in counts}:
        pipe.expire(_key(minute), _EXPIRY_SECONDS)
        pipe.expire(_tenants_key(minute), _EXPIRY_SECONDS)
    pipe.execute()


def read(client: redis.Redis, scopes: Sequence[Scope], minutes: Sequence[int]) -> list[list[int]]:
    """For each scope the downloads of these minutes, in order."""
    if not scopes:
        return []
    pipe = client.pipeline(transaction=False)
    names = [scope_name(scope) for scope in scopes]
    for minute in minutes:
        pipe.hmget(_key(minute), names)
    by_minute: list[list[Any]] = pipe.execute()
    return [[int(count or 0) for count in counts] for counts in zip(*by_minute, strict=True)]


def busiest_tenants(client: redis.Redis, *, minute: int, limit: int) -> list[tuple[UUID, int]]:
    """The organisations with most downloads in this minute, the most first."""
    found = cast(
        "list[tuple[bytes, float]]",
        client.zrevrange(_tenants_key(minute), 0, limit - 1, withscores=True),
    )
    return [(UUID(name.decode()), int(count)) for name, count in found]


def _key(minute: int) -> str:
    return valkey.key("activity", "minutes", minute)


def _tenants_key(minute: int) -> str:
    return valkey.key("activity", "tenants", minute)
