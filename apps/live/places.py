"""Whose rows a board's figures are the sum of, and whose days they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.downloads import totals
from apps.downloads.charts import first_open_day
from apps.live.groups import Board, Kind
from podcasts.access import place_of_episode, time_zone_of_show, time_zones_of_shows

_UTC = ZoneInfo("UTC")
_KNOWN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where a board's figures are found, and whose days they are of.

    ``zones`` are those of an organisation's shows, each of which has a today of its own.
    """

    scope: totals.Scope
    zone: ZoneInfo = _UTC
    zones: Mapping[UUID, ZoneInfo] = field(default_factory=dict)

    def day(self, at: datetime) -> date:
        """Today in the board's zone."""
        return at.astimezone(self.zone).date()

    def scope_at(self, at: datetime) -> totals.Scope:
        """With the shows whose today is another date."""
        today = self.day(at)
        days = {show: at.astimezone(zone).date() for show, zone in self.zones.items()}
        return replace(
            self.scope,
            ahead=frozenset(show for show, day in days.items() if day > today),
            behind=frozenset(show for show, day in days.items() if day < today),
        )

    def first_open(self, at: datetime) -> date:
        """The first day that late reports may still change in any of its zones."""
        return min(first_open_day(at, zone) for zone in (self.zone, *self.zones.values()))

    def day_ends_at(self, at: datetime) -> datetime:
        """The next midnight in any of its zones."""
        zones = {self.zone, *self.zones.values()}
        return min(_midnight_after(at, zone) for zone in zones)


def _midnight_after(at: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, zone).astimezone(UTC)


def place_of(board: Board) -> Place:
    """Of a board; up to a minute old."""
    return _place(board, int(monotonic() // _KNOWN_SECONDS))


@lru_cache(maxsize=4096)
def _place(board: Board, stretch: int) -> Place:
    """Known for a stretch of time."""
    match board:
        case Board(Kind.ORGANIZATION, UUID() as organization_id):
            zones = time_zones_of_shows(organization_id)
            return Place(totals.Scope(organization=organization_id), zones=zones)
        case Board(Kind.SHOW, UUID() as show_id):
            return Place(totals.Scope(show=show_id), time_zone_of_show(show_id))
        case Board(Kind.EPISODE, UUID() as episode_id):
            show_id, zone = place_of_episode(episode_id) or (episode_id, _UTC)
            return Place(totals.Scope(show=show_id, episode=episode_id), zone)
    return Place(totals.PLATFORM)
