"""Rows as the counter leaves them, for tests of what reads them."""

import secrets
from collections.abc import Iterable
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
    row = _store(episode, at=at or now(), is_first_of_listener=is_new_listener, **fields)
    _add_to_totals([row])
    return row


def store_downloads(episode: Episode, *downloads: dict[str, Any]) -> None:
    """The same for several, each with its ``at``: totals are added up once, as of one batch."""
    _add_to_totals(
        _store(episode, **{"is_first_of_listener": fields.pop("is_new_listener", True)} | fields)
        for fields in downloads
    )


def _store(episode: Episode, *, at: datetime, **fields: Any) -> Download:
    return Download.objects.create(
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
        }
        | fields
    )


def _add_to_totals(rows: Iterable[Download]) -> None:
    """What the counter does for a batch; downloads that wait for review are in no total."""
    counted = [row for row in rows if row.held_address is None]
    rollups.add_downloads([row.id for row in counted])
    listeners.add_to_days(
        [(row.organization_id, row.show_id, row.day) for row in counted if row.is_first_of_listener]
    )


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
