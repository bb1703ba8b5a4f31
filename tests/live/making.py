"""Downloads and watchers for tests of the live boards."""

import secrets
from datetime import datetime
from uuid import UUID

from asgiref.sync import async_to_sync

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import activity
from apps.downloads.summary import BatchSummary, NewDownload
from apps.live.groups import Board, keep_open
from podcasts.models import Episode
from tests.downloads.storing import store_download as download

__all__ = ["batch", "download", "listen", "new_download", "stir", "watch"]


def listen(episode: Episode, *, at: datetime, sent: int = 1_000_000) -> None:
    """Somebody is listening at this moment, and got so many bytes in this second."""
    at_ms = int(at.timestamp() * 1000)
    pulse = activity.Pulse(organizations={episode.organization_id})
    for scope in (episode.show_id, episode.id, episode.organization_id, None):
        pulse.listeners[scope][secrets.token_bytes(8)] = at_ms
        pulse.sent[scope, at_ms // 1000] += sent
    activity.store(valkey.connection(), pulse)


def batch(*episodes: Episode) -> BatchSummary:
    """What the counter says after a batch that counted a download of each of these episodes."""
    return BatchSummary(
        at=now(), downloads=tuple(new_download(e) for e in episodes), touched=touched(*episodes)
    )


def stir(*episodes: Episode) -> BatchSummary:
    """What the counter says after a batch in which nobody reached the threshold."""
    return BatchSummary(at=now(), touched=touched(*episodes))


def touched(*episodes: Episode) -> frozenset[UUID]:
    """Everything that what happens to these episodes happens to."""
    return frozenset(one for e in episodes for one in (e.id, e.show_id, e.organization_id))


def new_download(episode: Episode) -> NewDownload:
    """What the counter says of a download that it counted just now."""
    return NewDownload(
        organization=episode.organization_id,
        show=episode.show_id,
        episode=episode.id,
        app="Overcast",
        device="iPhone",
        country="DE",
        at=now(),
    )


def watch(*boards: Board) -> None:
    """Somebody has these boards open."""
    for board in boards:
        async_to_sync(keep_open)(board)
