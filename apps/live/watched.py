"""When an open board is due to be told something, and what of it has to be made anew."""

import math
from dataclasses import dataclass
from datetime import datetime

from apps.live.states import Message, is_of_today

MESSAGE_SECONDS = 1.0
"""The time between two messages to one board, as long as there is news."""
EARLY_SECONDS = 0.4
"""So much earlier one may come, and the next one later for it: right after a batch was counted."""
RANKING_SECONDS = 5.0
"""The least time between two readings of one board's tables."""
RANKINGS_SHARE = 0.2
"""The most of the publisher's time that tables may take: those of many boards are read rarely."""
REPEAT_SECONDS = 15.0
"""Even without news a board is told what it shows: a lost message is made good."""
REBUILD_SECONDS = 60.0
"""Even without news a board is read anew: a title changed, a review released downloads."""
BUILDING_SHARE = 0.2
"""The most of the publisher's time that one board may take: a slow one is told less often."""


@dataclass(slots=True)
class Watched:
    """What an open board was told last, in seconds of the publisher's clock."""

    has_news: bool = True  # whoever opened it may have come since the last batch
    has_activity: bool = False
    has_old_rankings: bool = False
    is_untold: bool = False  # read from the database, and not sent yet
    served_at: float = -math.inf
    sent_at: float = -math.inf
    next_at: float = -math.inf  # when the next message is due, at an even pace
    built_at: float = -math.inf
    ranked_at: float = -math.inf
    ranking_pause: float = RANKING_SECONDS
    pause: float = MESSAGE_SECONDS - EARLY_SECONDS
    described: Message | None = None
    told: Message | None = None

    @property
    def is_lively(self) -> bool:
        """Whether figures are shown that change by themselves."""
        shown = self.told or {}
        return bool(
            shown.get("listeners_now") or shown.get("bytes_per_second") or shown.get("health")
        )

    def is_due(self, at: float, *, moment: datetime) -> bool:
        """Whether it may and should be told something now."""
        if at < self.next_at - EARLY_SECONDS:
            return False
        if self.is_untold or self.needs_totals(at, moment=moment):
            return True
        if self.has_news:
            return False  # soon, and then everything together
        may_differ = self.has_activity or self.is_lively or at - self.sent_at >= REPEAT_SECONDS
        return may_differ and at >= self.next_at and at - self.served_at >= MESSAGE_SECONDS

    def needs_totals(self, at: float, *, moment: datetime) -> bool:
        """Whether what the database says may have changed, and may be asked for."""
        if at - self.built_at < self.pause:
            return False
        return self.has_news or self.needs_rankings(at, moment=moment)

    def needs_rankings(self, at: float, *, moment: datetime) -> bool:
        """Whether the tables have to be read as well."""
        if (
            self.described is None
            or not is_of_today(self.described, moment)
            or at - self.built_at >= max(REBUILD_SECONDS, self.ranking_pause)
        ):
            return True
        is_changed = self.has_news or self.has_old_rankings
        return is_changed and at - self.ranked_at >= self.ranking_pause

    def note_described(
        self, message: Message, at: float, *, with_rankings: bool, took_seconds: float
    ) -> None:
        """What the database says was read."""
        self.described = message
        self.is_untold = True
        self.built_at = at
        self.has_news = False
        self.has_old_rankings = not with_rankings
        if with_rankings:
            self.ranked_at = at
        self.pause = max(MESSAGE_SECONDS - EARLY_SECONDS, took_seconds / BUILDING_SHARE)

    def note_served(self, message: Message, at: float, *, is_sent: bool) -> None:
        """It shows this now, whether or not that had to be sent."""
        self.told = message
        self.served_at = at
        self.is_untold = self.has_activity = False
        if is_sent:
            self.sent_at = at
            self.next_at = max(self.next_at, at) + MESSAGE_SECONDS
