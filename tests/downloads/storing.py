"""Rows as the counter leaves them, for tests of what reads them."""

import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads import listeners, rollups
from apps.downloads.keys import KEY_BYTES
from apps.downloads.models import Coverage, Download
from apps.downloads.open_days import keys_for
from podcasts.models import Episode

THRESHOLD = 1_160_000


def store_download(
    episode: Episode, *, at: datetime | None = None, is_new_listener: bool = True, **fields: Any
) -> Download:
    """A download of this episode in all totals; with a ``held_address`` it waits for review."""
    at = at or now()
    row = Download.objects.create(
        **{
            "organization_id": episode.organization_id,
            "show_id": episode.show_id,
            "episode_id": episode.id,
            "day": at.date(),
            "local_day": at.astimezone(ZoneInfo(episode.show.time_zone)).date(),
            "first_at": at,
            "counted_at": at,
            "app": "Overcast",
            "category": "app",
            "device": "iPhone",
            "platform": "mobile",
            "country": "DE",
            "is_first_of_listener": is_new_listener,
        }
        | fields
    )
    if row.held_address is None:
        rollups.add_downloads([row.id])
        if is_new_listener:
            listeners.add_to_days([(row.organization_id, row.show_id, row.day)])
    return row


def store_coverage(episode: Episode, *, at: datetime, **fields: Any) -> Coverage:
    """What a listener of this episode was served, which suffices unless said otherwise."""
    keys_for([at.date()])
    return Coverage.objects.create(
        **{
            "organization_id": episode.organization_id,
            "show_id": episode.show_id,
            "episode": episode,
            "rendition_id": new_id(),
            "day": at.date(),
            "listener_key": secrets.token_bytes(KEY_BYTES),
            "address_key": secrets.token_bytes(KEY_BYTES),
            "served": [(0, THRESHOLD)],
            "threshold_bytes": THRESHOLD,
            "first_at": at,
        }
        | fields
    )


def counted() -> int:
    """How many downloads count."""
    return Download.objects.filter(held_address=None).count()
