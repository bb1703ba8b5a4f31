"""Downloads and watchers for tests of the live boards."""

import secrets
from datetime import datetime

from asgiref.sync import async_to_sync

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import activity
from apps.downloads.summary import Activity, BatchSummary
from apps.live.groups import Board, keep_open
from podcasts.models import Episode
from tests.downloads.storing import store_download as download

__all__ = ["batch", "download", "listen", "watch"]


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
