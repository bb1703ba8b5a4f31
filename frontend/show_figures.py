"""The figures of one show, gathered for its dashboard: each part one query, whatever its size."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator

from apps.downloads import charts, totals
from apps.downloads.drop_days import dropped
from apps.downloads.episode_figures import figures_of_episodes
from apps.downloads.totals import DayTotal, Period, Scope, Share
from apps.live.country_names import country_name
from podcasts.access import once_public
from podcasts.models import Episode, Show

CHART_DAYS = 30
CHART_HOURS = 48
EPISODES_PER_PAGE = 25


@dataclass(frozen=True, slots=True)
class Trend:
    """A count beside the period before; ``delta`` in percent, None when nothing was before."""

    count: int
    delta: int | None
    against: str
    line: Sequence[int]


@dataclass(frozen=True, slots=True)
class Mark:
    """The episodes of one day: the one with this index in a chart.

    ``position`` is in percent of the chart's width.
    """

    index: int
    day: date
    position: float
    titles: str


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One line of the table; a milestone that is not reached yet has no count."""

    episode: Episode
    total: int
    milestones: Sequence[tuple[int, int | None]]


def trend(count: int, before: int, *, days: int, line: Sequence[int]) -> Trend:
    """The change against the same number of days before."""
    delta = round(100 * (count - before) / before) if before else None
    against = f"against the {days} days before" if before else f"none in the {days} days before"
    return Trend(count, delta, against, line)


def trends(scope: Scope, days: Sequence[DayTotal], *, today: date) -> dict[str, object]:
    """The week and the month, with their lines cut from the days of the chart; yesterday."""
    figures = totals.headline(scope, today=today)
    line = [day.downloads for day in days]
    return {
        "today_note": f"provisional; {figures.yesterday} yesterday",
        "week": trend(figures.last_7, figures.previous_7, days=7, line=line[-7:]),
        "month": trend(figures.last_30, figures.previous_30, days=30, line=line),
    }


def day_points(days: Iterable[DayTotal]) -> list[tuple[str, int]]:
    """As the bar chart takes them."""
    return [(_short(day.day), day.downloads) for day in days]


def open_days(days: Iterable[DayTotal], first_open: date) -> int:
    """How many of these late reports can still change: the last ones."""
    return sum(day.day >= first_open for day in days)


def hour_points(scope: Scope, *, at: datetime, zone: tzinfo = UTC) -> list[tuple[str, int]]:
    """The last two days by the hour in this zone, as the bar chart takes them.

    All are provisional: a day is final only some days after its end (window.py).
    """
    hours = charts.hours(scope, now=at, count=CHART_HOURS)
    return [(f"{hour.begin.astimezone(zone):%a %H:%M}", hour.downloads) for hour in hours]


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def breakdowns(scope: Scope, *, today: date, at: datetime) -> dict[str, list[tuple[str, int]]]:
    """Apps, countries, devices, in the days of the chart; what was not counted, in UTC's."""
    period = Period.last_days(CHART_DAYS, today=today)
    period_utc = Period.last_days(CHART_DAYS, today=at.astimezone(UTC).date())
    return {
        "apps": _named(totals.top_apps(scope, period, limit=8), "Unknown app"),
        "countries": [
            (country_name(share.name), share.downloads)
            for share in totals.top_countries(scope, period, limit=8)
        ],
        "devices": _named(totals.top_devices(scope, period, limit=8), "Unknown device"),
        "drops": [(drop.label, drop.count) for drop in dropped(scope, period_utc)],
    }


def _named(shares: Iterable[Share], unknown: str) -> list[tuple[str, int]]:
    return [(share.name or unknown, share.downloads) for share in shares]


def episode_page(show: Show, number: str | None, *, at: datetime) -> Page[Episode]:
    """One page of the episodes of the table."""
    return Paginator(once_public(show, at), EPISODES_PER_PAGE).get_page(number)


def episode_rows(show: Show, episodes: Iterable[Episode], *, at: datetime) -> list[EpisodeRow]:
    """The lines of the table for published episodes."""
    published = [
        (episode, episode.published_at) for episode in episodes if episode.published_at is not None
    ]
    found = figures_of_episodes(
        [(episode.id, moment) for episode, moment in published], show=show.id, now=at
    )
    return [
        EpisodeRow(episode, found[episode.id].all_time, found[episode.id].milestones)
        for episode, _ in published
    ]


def episode_marks(show: Show, days: Sequence[DayTotal], *, at: datetime) -> list[Mark]:
    """The days of a chart on which episodes came out."""
    zone = ZoneInfo(show.time_zone)
    first = datetime.combine(days[0].day, datetime.min.time(), zone)
    titles: defaultdict[date, list[str]] = defaultdict(list)
    for episode in once_public(show, at).filter(published_at__gte=first):
        if episode.published_at:
            titles[episode.published_at.astimezone(zone).date()].append(episode.title)
    slot = 100 / len(days)
    return [
        Mark(index, day.day, round((index + 0.5) * slot, 3), ", ".join(titles[day.day]))
        for index, day in enumerate(days)
        if day.day in titles
    ]
