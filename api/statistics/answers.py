"""The numbers of each chart, as ``serializers`` describes them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from apps.downloads import charts, drop_days, episode_curves
from apps.downloads.chart_tables import (
    WEEKDAYS,
    first_days_key,
    hour_status,
    last_day_of,
    percents,
    status,
)
from apps.downloads.charts import Bucket, Grain
from apps.downloads.drop_reasons import explain
from apps.downloads.episode_curves import STEP_HOURS
from apps.downloads.episode_figures import all_time
from apps.downloads.episode_table import Published, Row
from apps.downloads.models import Dimension
from apps.downloads.subject import Subject
from apps.downloads.totals import Headline, Period, Scope
from apps.live.country_names import country_name

type Answer = dict[str, Any]
"""What JSON can say, beside dates and ids."""

_UNKNOWN = {Dimension.APP: "Unknown app", Dimension.DEVICE: "Unknown device"}


def of(subject: Subject, *, is_in_utc: bool = False) -> Answer:
    """Whose figures, in which zone days end, and from which day on they may still change."""
    return {
        "show": subject.show.pk,
        "episode": subject.episode.pk if subject.episode else None,
        "time_zone": subject.show.time_zone,
        "provisional_from": subject.first_open_utc if is_in_utc else subject.first_open,
    }


def in_period(period: Period) -> Answer:
    """What was asked for."""
    return {"period": {"from": period.first, "to": period.last}}


def figures(scope: Scope) -> Answer:
    """What does not depend on today."""
    return {"all_time": all_time(scope), "first_month": charts.first_day(scope)}


def windows(subject: Subject) -> Answer:
    """The last 7, 30 and 90 days, and all time."""
    found = charts.windows(subject.scope, today=subject.today)
    rows = [_last(each.days, each.count, each.before) | {"daily": each.line} for each in found]
    return of(subject) | figures(subject.scope) | {"rows": rows}


def last_days(headline: Headline) -> Answer:
    """Today, 7 and 30 days."""
    return {
        "rows": [
            _last(1, headline.today, headline.yesterday),
            _last(7, headline.last_7, headline.previous_7),
            _last(30, headline.last_30, headline.previous_30),
        ]
    }


def _last(days: int, count: int, before: int) -> Answer:
    return {
        "days": days,
        "downloads": count,
        "before": before,
        "change_percent": round(100 * (count - before) / before) if before else None,
    }


def over_time(scope: Scope, period: Period, grain: Grain, *, first_open: date) -> Answer:
    """Downloads by day, week or month."""
    has_listeners = grain is Grain.DAY and scope.show is not None and scope.episode is None
    return {
        **in_period(period),
        "grain": grain,
        "rows": [
            _bucket(bucket, first_open, has_listeners=has_listeners)
            for bucket in charts.over_time(scope, period, grain)
        ],
    }


def _bucket(bucket: Bucket, first_open: date, *, has_listeners: bool) -> Answer:
    return {
        "from": bucket.first,
        "to": bucket.last,
        "downloads": bucket.downloads,
        "from_requests_only": bucket.provisional,
        "status": status(bucket.last, first_open),
        "listeners_on_utc_day": bucket.listeners if has_listeners else None,
    }


def hours(subject: Subject, count: int) -> Answer:
    """The last hours."""
    found = charts.hours(subject.scope, now=subject.at, count=count)
    rows = [
        {
            "hour": hour.begin.astimezone(subject.zone),
            "hour_utc": hour.begin,
            "downloads": hour.downloads,
            "from_requests_only": hour.provisional,
            "status": hour_status(hour.begin, subject.first_open_utc),
        }
        for hour in found
    ]
    return of(subject) | {"rows": rows}


def parts(subject: Subject, period: Period, dimension: Dimension) -> Answer:
    """Apps, devices, countries or websites."""
    found = charts.parts(subject.scope, period, dimension)
    shares = percents([part.downloads for part in found])
    rows = [
        {
            dimension.value: part.value,
            "name": _name(dimension, part.value),
            "downloads": part.downloads,
            "from_requests_only": part.provisional,
            "percent": share,
        }
        for part, share in zip(found, shares, strict=True)
    ]
    return of(subject) | in_period(period) | {"rows": rows}


def _name(dimension: Dimension, value: str) -> str:
    if dimension is Dimension.COUNTRY:
        return country_name(value)
    return value or _UNKNOWN.get(dimension, "Unknown")


def week(subject: Subject, period: Period) -> Answer:
    """Weekday by hour."""
    grid = charts.week(subject.scope, period, subject.zone)
    rows = [
        {"weekday": weekday, "hour": hour, "downloads": downloads}
        for weekday, line in zip(WEEKDAYS, grid, strict=True)
        for hour, downloads in enumerate(line)
    ]
    return of(subject) | in_period(period) | {"rows": rows}


def listeners(subject: Subject, period: Period) -> Answer:
    """Listeners of each month of UTC."""
    rows = [
        {
            "month": each.month,
            "listeners_about": each.listeners,
            "status": status(last_day_of(each.month), subject.first_open_utc),
        }
        for each in charts.listeners_of_months(subject.scope, period)
    ]
    return of(subject, is_in_utc=True) | in_period(period) | {"rows": rows}


def not_counted(subject: Subject, period: Period) -> Answer:
    """What was dropped on each day of UTC, and why."""
    drops = drop_days.drops_by_day(subject.scope, period)
    days = drop_days.downloads_by_utc_day(subject.scope, period)
    rows = [
        {
            "day_utc": drop.day,
            "reason": drop.reason,
            "count": drop.count,
            "status": status(drop.day, subject.first_open_utc),
        }
        for drop in drops
    ]
    return (
        of(subject, is_in_utc=True)
        | in_period(period)
        | {
            "reasons": _reasons(drops),
            "days": [
                {"day_utc": day, "downloads": count, "status": status(day, subject.first_open_utc)}
                for day, count in days.items()
            ],
            "rows": rows,
        }
    )


def _reasons(drops: Iterable[drop_days.DropDay]) -> list[Answer]:
    sums: Counter[str] = Counter()
    for drop in drops:
        sums[drop.reason] += drop.count
    ordered = sorted(sums.items(), key=lambda found: (-found[1], found[0]))
    shares = percents([count for _, count in ordered])
    return [
        _reason(reason, count, share)
        for (reason, count), share in zip(ordered, shares, strict=True)
    ]


def _reason(reason: str, count: int, percent: int) -> Answer:
    found = explain(reason)
    return {
        "reason": reason,
        "name": found.label,
        "what": found.what,
        "rule": found.source,
        "advice": found.advice,
        "count": count,
        "percent": percent,
    }


def episode_row(row: Row) -> Answer:
    """A line of the table of episodes."""
    first = {first_days_key(days): count for days, count in row.within}
    return _episode(row.episode) | {"all_time": row.all_time} | first


def _episode(episode: Published) -> Answer:
    return {"episode": episode.id, "title": episode.title, "published_at": episode.at}


def compare(subject: Subject, chosen: Sequence[Published], days: int) -> Answer:
    """The curves of these episodes."""
    found = episode_curves.curves(
        [(episode.id, episode.at) for episode in chosen],
        show=subject.show.pk,
        days=days,
        now=subject.at,
    )
    step = STEP_HOURS[days]
    rows = [
        {"episode": curve.episode, "hours_after_publication": number * step, "downloads": count}
        for curve in found
        for number, count in enumerate(curve.points, start=1)
    ]
    return of(subject) | {
        "days": days,
        "step_hours": step,
        "episodes": [_episode(episode) for episode in chosen],
        "rows": rows,
    }
