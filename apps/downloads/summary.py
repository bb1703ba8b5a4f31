"""What the counter tells the rooms above after each batch."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class NewDownload(NamedTuple):
    """A listener's coverage that reached the threshold; ``at`` is when it was counted."""

    organization: UUID
    show: UUID
    episode: UUID
    app: str
    device: str
    country: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Activity:
    """What goes on now: listeners of the last minute, and the speed of the last seconds."""

    listeners: int = 0
    bytes_per_second: int = 0


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """One committed batch: its downloads, and what it touched.

    ``touched`` are the ids of all shows, episodes and organisations with activity.
    """

    at: datetime
    messages: int = 0
    downloads: tuple[NewDownload, ...] = ()
    bytes_sent: int = 0
    touched: frozenset[UUID] = frozenset()
