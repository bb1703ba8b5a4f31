"""Whose statistics are asked for: a show's, or those of one of its episodes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from apps.downloads.charts import first_open_day
from apps.downloads.totals import Scope
from podcasts.models import Episode, Show


@dataclass(frozen=True)
class Subject:
    """The caller was let into the show; ``at`` is now."""

    show: Show
    at: datetime
    episode: Episode | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """In which the show's days end."""
        return ZoneInfo(self.show.time_zone)

    @cached_property
    def today(self) -> date:
        """In the show's zone."""
        return self.at.astimezone(self.zone).date()

    @cached_property
    def today_utc(self) -> date:
        """In UTC, of whose days is what was not counted."""
        return self.at.astimezone(UTC).date()

    @cached_property
    def first_open(self) -> date:
        """The first of the show's days that late reports may still change."""
        return first_open_day(self.at, self.zone)

    @cached_property
    def first_open_utc(self) -> date:
        """The first day of UTC that is not closed."""
        return first_open_day(self.at, UTC)

    @property
    def scope(self) -> Scope:
        """Of which rows its figures are the sum."""
        return Scope(
            show=self.show.pk,
            episode=self.episode.pk if self.episode else None,
            organization=self.show.organization_id,
        )

    @property
    def zone_name(self) -> str:
        """For people."""
        return self.show.time_zone.replace("_", " ")

    @property
    def name(self) -> str:
        """For the names of files."""
        return f"{self.show.handle}-{self.episode.slug}" if self.episode else self.show.handle
