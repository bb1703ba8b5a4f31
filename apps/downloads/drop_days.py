"""Why requests were not counted, day by day and in all."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, Sum, Value
from django.db.models.functions import TruncDate

from apps.downloads.drop_reasons import QUARANTINED, drop_label
from apps.downloads.models import Download, DropTally, HourTotal
from apps.downloads.totals import Period, Scope


@dataclass(frozen=True, slots=True)
class DropDay:
    """How many requests of a UTC day were dropped for one reason.

    For ``below_threshold`` and ``quarantined``: how many listeners, and how many downloads.
    """

    day: date
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why requests were not counted, and how many (or for what was kept: how many listeners)."""

    reason: str
    label: str
    count: int


def dropped(scope: Scope, period: Period) -> list[Dropped]:
    """What there is of each reason in these days of UTC, most frequent first: one query."""
    sums = Counter[str]()
    for drop in drops_by_day(scope, period):
        sums[drop.reason] += drop.count
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return [Dropped(reason, drop_label(reason), count) for reason, count in ordered]


def drops_by_day(scope: Scope, period: Period) -> list[DropDay]:
    """What there is of each day and reason, oldest first: one query.

    A scope that names the organisation beside the show finds what waits for review sooner; for
    what was dropped the show is enough, by which an index begins.
    """
    dropped = replace(scope, organization=None) if scope.show else scope
    tallied = (
        DropTally.objects.filter(dropped.everything, period.condition)
        .order_by()
        .values_list("day", "reason")
        .annotate(total=Sum("count"))
    )
    held = (
        Download.objects.filter(scope.everything, period.condition, held_address__isnull=False)
        .order_by()
        .values_list("day", Value(QUARANTINED))
        .annotate(total=Count("id"))
    )
    rows = sorted(tallied.union(held, all=True))
    return [DropDay(day, reason, int(count)) for day, reason, count in rows]


def downloads_by_utc_day(scope: Scope, period: Period) -> dict[date, int]:
    """The downloads of each day of UTC, as drops have them; days without any included."""
    first, end = (
        datetime.combine(day, time.min, UTC)
        for day in (period.first, period.last + timedelta(days=1))
    )
    rows = (
        HourTotal.objects.filter(scope.total, hour__gte=first, hour__lt=end)
        .order_by()
        .values_list(TruncDate("hour", tzinfo=UTC))
        .annotate(sum=Sum("downloads"))
    )
    found = {day: int(downloads) for day, downloads in rows}
    return {day: found.get(day, 0) for day in period.days()}
