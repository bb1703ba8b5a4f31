"""How the installation is: its processes, its queues, and the tenants that keep it busy."""

from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import redis
from django.conf import settings

from apps.accounts.access import organizations_for_platform
from apps.core import vitals
from apps.core.vitals import Vitals
from apps.downloads import activity, minutes, stream

TENANTS_SHOWN = 6
_NAMES_SECONDS = 60.0

type Health = dict[str, object]


def health_message(client: redis.Redis, *, at: datetime) -> Health:
    """As plain JSON values; raises redis.RedisError when Valkey is away."""
    everybody = vitals.read_all(client, at=at.timestamp())
    alive = [one for one in everybody if not one.is_silent(at.timestamp())]
    responses = sum(one.responses_last_minute for one in alive)
    errors = sum(one.errors_last_minute for one in alive)
    return {
        "processes": [_process(one, at.timestamp()) for one in everybody],
        "media": sum(one.media for one in alive),
        "sockets": sum(one.sockets for one in alive),
        "responses_per_second": round(sum(one.responses_per_second for one in alive), 1),
        "errors": errors,
        "error_percent": round(100 * errors / responses, 2) if responses else 0.0,
        **_queues(client, at),
        "hits_spooled_bytes": _spooled_bytes(alive),
        "tenants": _tenants(client, at),
    }


def _process(one: Vitals, at: float) -> Health:
    return {
        "name": one.name,
        "role": one.role,
        "host": one.host,
        "pid": one.pid,
        "started_at": datetime.fromtimestamp(one.started_at, tz=UTC).isoformat(),
        "is_gone": one.is_silent(at),
        "rss_bytes": one.rss_bytes,
        "cpu_percent": round(100 * one.cpu_share),
        "loop_lag_ms": one.loop_lag_ms,
        "sockets": one.sockets,
        "media": one.media,
        "responses_per_second": one.responses_per_second,
        "errors": one.errors_last_minute,
    }


def _queues(client: redis.Redis, at: datetime) -> Health:
    """Jobs that wait and that are under way; hits that are not counted, and for how long."""
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    pipe = client.pipeline(transaction=False)
    pipe.llen(f"{prefix}celery")
    pipe.hlen(f"{prefix}unacked")
    pipe.xlen(stream.name())
    pipe.xrange(stream.name(), count=1)
    waiting, running, length, oldest = pipe.execute()
    lag = 0.0
    if oldest:
        entered_ms, _ = stream.parse_id(oldest[0][0].decode())
        lag = max(0.0, at.timestamp() - entered_ms / 1000)
    return {
        "jobs_waiting": waiting,
        "jobs_running": running,
        "hits_waiting": length,
        "hits_lag_seconds": round(lag, 1),
    }


def _spooled_bytes(alive: list[Vitals]) -> int:
    """Of hits on the disks of all hosts; processes of one host tell of the same disk."""
    by_host: dict[str, int] = {}
    for one in alive:
        by_host[one.host] = max(by_host.get(one.host, 0), one.spooled_bytes)
    return sum(by_host.values())


def _tenants(client: redis.Redis, at: datetime) -> list[Health]:
    """Those that send most, and those that are downloaded most, in one list."""
    limit = TENANTS_SHOWN
    now_ms, minute = int(at.timestamp() * 1000), int(at.timestamp()) // 60
    speeds = dict(activity.hottest_senders(client, now_ms=now_ms, limit=limit))
    # The current minute has only begun.
    counts = dict(minutes.busiest_tenants(client, minute=minute - 1, limit=limit))
    busiest = sorted(speeds.keys() | counts.keys(), key=lambda one: str(one))
    busiest.sort(key=lambda one: (-speeds.get(one, 0), -counts.get(one, 0)))
    names = _names_of(busiest[:limit])
    return [
        {
            "id": str(one),
            "name": names.get(one, "Deleted organisation"),
            "bytes_per_second": speeds.get(one, 0),
            "downloads_per_minute": counts.get(one, 0),
        }
        for one in busiest[:limit]
    ]


_names: dict[UUID, tuple[float, str]] = {}


def _names_of(ids: list[UUID]) -> dict[UUID, str]:
    """Names may be a minute old: the page that shows them is made every second."""
    at = monotonic()
    missing = [one for one in ids if one not in _names or at - _names[one][0] > _NAMES_SECONDS]
    if missing:
        for gone in [one for one, (read_at, _) in _names.items() if at - read_at > _NAMES_SECONDS]:
            del _names[gone]
        found = organizations_for_platform(missing)
        _names.update({one: (at, organization.name) for one, organization in found.items()})
    return {one: _names[one][1] for one in ids if one in _names}
