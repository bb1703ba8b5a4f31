"""Downloads and watchers for tests of the live boards."""

import secrets
from datetime import datetime
from typing import Any

from asgiref.sync import async_to_sync

from apps.core import valkey
from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads import activity
from apps.downloads.models import Coverage
from apps.downloads.summary import Activity, BatchSummary
from apps.live.groups import Board, keep_open
from podcasts.models import Episode


def download(episode: Episode, *, at: datetime | None = None, **fields: Any) -> Coverage:
    """A counted download of episode A's file by a listener of its own."""
    at = at or now()
    fields = {
        "app": "Overcast",
        "device": "iPhone",
        "country": "DE",
        "category": "app",
        "platform": "mobile",
        "first_at": at,
        "counted_at": at,
        "address_key": secrets.token_bytes(32),
    } | fields
    return Coverage.objects.create(
        organization_id=episode.organization_id,
        show_id=episode.show_id,
        episode=episode,
        rendition_id=new_id(),
        day=at.date(),
        listener_key=secrets.token_bytes(32),
        served=((0, 1_160_000),),
        threshold_bytes=1_160_000,
        **fields,
    )


def listen(episode: Episode, *, at: datetime, sent: int = 1_000_000) -> None:
    """Somebody is listening at this moment, and got so many bytes in this second."""
    at_ms = int(at.timestamp() * 1000)
    pulse = activity.Pulse()
    for scope in (episode.show_id, None):
        pulse.listeners[scope][secrets.token_bytes(8)] = at_ms
        pulse.sent[scope, at_ms // 1000] += sent
    activity.store(valkey.connection(), pulse)


def batch(*episodes: Episode) -> BatchSummary:
    """What the counter says after a batch that touched these episodes' shows."""
    return BatchSummary(at=now(), activity={e.show_id: Activity() for e in episodes})


def watch(*boards: Board) -> None:
    """Somebody has these boards open."""
    for board in boards:
        async_to_sync(keep_open)(board)
