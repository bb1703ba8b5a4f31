"""What the charts of a show or an episode are drawn from: each function one query.

Callers have checked who may see it (``podcasts.access``). Days are those of the show's time zone
(``totals``), hours instants of UTC; what is shown of them is the caller's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay

from apps.downloads import totals
from apps.downloads.models import DayTotal, Dimension, HourTotal, MonthTotal
from apps.downloads.months import listeners_by_month
from apps.downloads.referrers import referrer_name
from apps.downloads.totals import Period, Scope
from apps.downloads.window import last_expired_day

WINDOWS = (7, 30, 90)
# Of a period: ten years, none of them before there were podcasts.
LONGEST_DAYS, EARLIEST = 3660, date(2000, 1, 1)
WEEKDAYS, HOURS = 7, 24
# Days end here last of all: what is final here is final everywhere.
_LAST_ZONE = ZoneInfo("Etc/GMT+12")


class Grain(StrEnum):
    """How much time one point of a chart stands for; weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def first_day(self, day: date) -> date:
        """Of the day, week or month that this day is in."""
        match self:
            case Grain.WEEK:
                return day - timedelta(days=day.weekday())
            case Grain.MONTH:
                return day.replace(day=1)
        return day


@dataclass(frozen=True, slots=True)
class Bucket:
    """Downloads from ``first`` to ``last``, both included; cut off where the period ends.

    ``provisional`` of them are known from requests only. ``listeners`` are a show's of one day of
    UTC, 0 for anything else; of several days there is no sum, for the same people come again.
    """

    first: date
    last: date
    downloads: int
    provisional: int
    listeners: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """The downloads of the last ``days`` days, of as many before, and of each of the days."""

    days: int
    count: int
    before: int
    line: Sequence[int]


@dataclass(frozen=True, slots=True)
class Hour:
    """``begin`` is an instant of UTC."""

    begin: datetime
    downloads: int
    provisional: int


@dataclass(frozen=True, slots=True)
class Part:
    """One app, device, country (ISO 3166-1) or website; ``value`` is "" for unknown."""

    value: str
    downloads: int
    provisional: int


@dataclass(frozen=True, slots=True)
class MonthOfListeners:
    """About so many different listeners in a month of UTC, which begins with ``month``."""

    month: date
    listeners: int


def over_time(scope: Scope, period: Period, grain: Grain) -> list[Bucket]:
    """The period in days, weeks or months, also those without downloads."""
    has_listeners = grain is Grain.DAY and scope.show is not None
    days = totals.daily(scope, period, with_listeners=has_listeners)
    return [
        Bucket(
            first=here[0].day,
            last=here[-1].day,
            downloads=sum(day.downloads for day in here),
            provisional=sum(day.provisional for day in here),
            listeners=here[0].listeners if grain is Grain.DAY else None,
        )
        for _, group in groupby(days, lambda day: grain.first_day(day.day))
        if (here := list(group))
    ]


def windows(scope: Scope, *, today: date) -> list[Window]:
    """The last 7, 30 and 90 days, today included, each beside as many days before."""
    period = Period.last_days(2 * WINDOWS[-1], today=today)
    line = [day.downloads for day in totals.daily(scope, period, with_listeners=False)]
    return [
        Window(days, sum(line[-days:]), sum(line[-2 * days : -days]), line[-days:])
        for days in WINDOWS
    ]


def first_day(scope: Scope) -> date | None:
    """The first day of the month of the first download, or None."""
    rows = MonthTotal.objects.filter(scope.total, dimension=Dimension.ALL, downloads__gt=0)
    found: date | None = rows.aggregate(first=Min("month"))["first"]
    return found


def hours(scope: Scope, *, now: datetime, count: int) -> list[Hour]:
    """The last ``count`` hours, the current one included, also those without downloads."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=count - 1)
    rows = (
        HourTotal.objects.filter(scope.total, hour__range=(first, last))
        .order_by()
        .values_list("hour")
        .annotate(sum=Sum("downloads"), known=Sum("provisional"))
    )
    found = {hour: (int(downloads), int(known)) for hour, downloads, known in rows}
    slots = (first + timedelta(hours=number) for number in range(count))
    return [Hour(slot, *found.get(slot, (0, 0))) for slot in slots]


def parts(scope: Scope, period: Period, dimension: Dimension) -> list[Part]:
    """Every app, device, country or website of the period, most downloads first.

    Hosts of one web player are one part. Whole months are read from the months' totals.
    """
    months = _whole_months(period)
    in_days = period.condition
    rows = DayTotal.objects.filter(scope.total, dimension=dimension)
    if months is None:
        found = _summed(rows.filter(in_days))
    else:
        in_days &= ~Q(day__gte=months.first, day__lte=months.last)
        found = _summed(rows.filter(in_days)).union(
            _summed(
                MonthTotal.objects.filter(
                    scope.total, dimension=dimension, month__range=(months.first, months.last)
                )
            ),
            all=True,
        )
    sums: dict[str, tuple[int, int]] = {}
    for value, downloads, known in found:
        name = referrer_name(value) if dimension is Dimension.REFERRER else value
        before = sums.get(name, (0, 0))
        sums[name] = before[0] + int(downloads), before[1] + int(known)
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    return [Part(value, *counts) for value, counts in ordered if counts[0] > 0]


def _summed(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    summed: QuerySet[Any, Any] = (
        rows.order_by()
        .values_list("value")
        .annotate(sum=Sum("downloads"), known=Sum("provisional"))
    )
    return summed


def _whole_months(period: Period) -> Period | None:
    """The calendar months that lie in the period as a whole; None when there is none."""
    first = period.first
    if first.day > 1:
        first = _next_month(first)
    after = _next_month(period.last)
    last = period.last if period.last + timedelta(days=1) == after else period.last.replace(day=1)
    if last.day == 1:
        last -= timedelta(days=1)
    return Period(first, last) if first <= last else None


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def week(scope: Scope, period: Period, zone: ZoneInfo) -> list[list[int]]:
    """Downloads by weekday (Monday first) and by hour of the day in this zone: 7 rows of 24.

    An hour of UTC is told by when it begins, also where the zone is half an hour off.
    """
    first, end = instants(period, zone)
    rows = (
        HourTotal.objects.filter(scope.total, hour__gte=first, hour__lt=end)
        .order_by()
        .annotate(
            weekday=ExtractIsoWeekDay("hour", tzinfo=zone), at=ExtractHour("hour", tzinfo=zone)
        )
        .values_list("weekday", "at")
        .annotate(sum=Sum("downloads"))
    )
    grid = [[0] * HOURS for _ in range(WEEKDAYS)]
    for weekday, hour, downloads in rows:
        grid[weekday - 1][hour] = int(downloads)
    return grid


def listeners_of_months(scope: Scope, period: Period) -> list[MonthOfListeners]:
    """About how many listeners a show had in each month that the period touches, gaps included."""
    if scope.episode or not scope.show:
        return []
    found = listeners_by_month(scope.show, period.first.replace(day=1), period.last)
    return [MonthOfListeners(month, found.get(month, 0)) for month in _months(period)]


def _months(period: Period) -> Iterator[date]:
    month = period.first.replace(day=1)
    while month <= period.last:
        yield month
        month = _next_month(month)


def instants(period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the period's first day begins, and when its last one is over, in this zone."""
    ends = period.first, period.last + timedelta(days=1)
    first, end = (datetime.combine(day, time.min, zone).astimezone(UTC) for day in ends)
    return first, end


def first_open_anywhere(now: datetime) -> date:
    """The first day that late reports may still change for any show, wherever it is at home."""
    return first_open_day(now, _LAST_ZONE)


def first_open_day(now: datetime, zone: tzinfo) -> date:
    """The first day of this zone that late reports may still change.

    A day is final with the last day of UTC that it touches.
    """
    first_open = last_expired_day(now) + timedelta(days=1)
    return datetime.combine(first_open, time.min, UTC).astimezone(zone).date()
