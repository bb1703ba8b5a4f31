"""The live figures of many shows in a handful of queries, where `totals` would ask for each show.

They say the same; a test holds them to it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import Q, Sum

from apps.downloads.models import DayTotal, Dimension, MonthTotal
from apps.downloads.totals import LatestDownload, Period


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """Today, 7 and 30 days (today included), ever, and the newest downloads first."""

    today: int
    last_7: int
    last_30: int
    total: int
    latest: list[LatestDownload]


def figures_of_shows(todays: Mapping[UUID, date], *, latest: int) -> dict[UUID, LiveFigures]:
    """Of each of these shows, whose time zones are in these days; ``latest`` is how many of those.

    Two queries, and one for each day that is today somewhere: three at most.
    """
    by_day: defaultdict[date, list[UUID]] = defaultdict(list)
    for show, today in todays.items():
        by_day[today].append(show)
    recent: dict[UUID, tuple[int, int, int]] = {}
    for today, shows in by_day.items():
        recent |= _recent(shows, today)
    totals, newest = _totals(todays), _latest(todays, latest)
    return {
        show: LiveFigures(
            *recent.get(show, (0, 0, 0)), total=totals.get(show, 0), latest=newest[show]
        )
        for show in todays
    }


def _recent(shows: Collection[UUID], today: date) -> dict[UUID, tuple[int, int, int]]:
    week, month = Period.last_days(7, today=today), Period.last_days(30, today=today)
    rows = (
        DayTotal.objects.filter(
            month.condition, show_id__in=shows, episode=None, dimension=Dimension.ALL
        )
        .order_by()
        .values_list("show_id")
        .annotate(
            now=Sum("downloads", filter=Q(day=today), default=0),
            week=Sum("downloads", filter=week.condition, default=0),
            month=Sum("downloads", default=0),
        )
    )
    return {show: (int(now), int(seven), int(thirty)) for show, now, seven, thirty in rows}


def _totals(shows: Collection[UUID]) -> dict[UUID, int]:
    rows = (
        MonthTotal.objects.filter(show_id__in=shows, episode=None, dimension=Dimension.ALL)
        .order_by()
        .values_list("show_id")
        .annotate(sum=Sum("downloads"))
    )
    return {show: int(count) for show, count in rows}


_LATEST = """
SELECT one.counted_at, one.show_id, show.title, one.episode_id, episode.title,
       one.app, one.device, one.country
FROM unnest(%s::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM downloads_download
    WHERE show_id = wanted.id AND held_address IS NULL
    ORDER BY counted_at DESC, id DESC LIMIT %s
) AS one
JOIN podcasts_show AS show ON show.id = one.show_id
JOIN podcasts_episode AS episode ON episode.id = one.episode_id
ORDER BY one.counted_at DESC, one.id DESC
"""


def _latest(shows: Collection[UUID], limit: int) -> defaultdict[UUID, list[LatestDownload]]:
    """By the index of each show: the ORM would number all of a show's downloads."""
    found: defaultdict[UUID, list[LatestDownload]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [list(shows), limit])
        for row in cursor.fetchall():
            found[row[1]].append(LatestDownload(*row))
    return found
