"""How long PostgreSQL takes for each chart of a show with 1,000 episodes and two years of data."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from apps.core.clock import now
from apps.downloads import charts, drop_days, episode_curves, episode_figures, first_days
from apps.downloads.charts import Grain
from apps.downloads.models import Dimension
from apps.downloads.totals import Period, Scope
from bench.chart_seeding import ZONE, BusyShow, seed_busy_show
from bench.figure import Figure
from bench.goals import CHART
from bench.scenario import Scene, say
from podcasts.models import Episode

_QUARTER, _TWO_YEARS = 90, 730

type Chart = Callable[[], object]


def measure_charts(scene: Scene) -> Iterator[Figure]:
    """Each chart at its widest: the sum of its queries, the median of the tries and the worst."""
    extent = scene.extent
    template = Episode.objects.get(pk=scene.seeded.small[0].episode)
    say(f"Making {extent.chart_episodes} episodes with {extent.chart_days} days of totals")
    busy = seed_busy_show(template, episodes=extent.chart_episodes, days=extent.chart_days)
    _tidy_up()
    unkept = {f"{name}, none kept": chart for name, chart in _by_first_days(busy, now()).items()}
    yield from time_charts(unkept, tries=extent.chart_tries)
    first_days.store_closed(now=now())  # as every night
    _tidy_up()
    yield from time_charts(charts_of(busy), tries=extent.chart_tries)


def _tidy_up() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "VACUUM (ANALYZE) downloads_hourtotal, downloads_daytotal, downloads_monthtotal, "
            "downloads_firstdays, downloads_droptally"
        )


def time_charts(charts: Mapping[str, Chart], *, tries: int) -> Iterator[Figure]:
    """The same for these charts, of a show that is there."""
    for name, chart in charts.items():
        cold = _sql_ms(chart)  # of pages that nobody has read yet
        times = [_sql_ms(chart) for _ in range(tries)]
        note = f"worst of {tries}: {max(times):.1f} ms; the first time {cold:.1f} ms"
        yield Figure(f"chart: {name}", statistics.median(times), "ms", CHART, note=note)


def charts_of(busy: BusyShow) -> dict[str, Chart]:
    """Every chart of a show and of its oldest episode, for the widest choice that a page offers."""
    at, zone = now(), ZoneInfo(ZONE)
    today = at.astimezone(zone).date()
    show = Scope(show=busy.show, organization=busy.organization)
    episode = Scope(show=busy.show, episode=busy.episodes[-1][0])
    ever = Period.last_days(_TWO_YEARS, today=today)
    page, compared = busy.episodes[:25], busy.episodes[-8:]
    return {
        "headline, 7, 30 and 90 days": lambda: charts.windows(show, today=today),
        "two years by day": lambda: charts.over_time(show, ever, Grain.DAY),
        "two years of an episode by day": lambda: charts.over_time(episode, ever, Grain.DAY),
        "seven days by hour": lambda: charts.hours(show, now=at, count=168),
        "first days, a page": lambda: episode_figures.figures_of_episodes(
            page, show=busy.show, now=at
        ),
        "all time, all episodes": lambda: episode_figures.all_time_of_episodes(
            show=busy.show, episodes=[number for number, _ in busy.episodes]
        ),
        **_by_first_days(busy, at),
        "eight episodes, 90 days": lambda: episode_curves.curves(
            compared, show=busy.show, days=_QUARTER, now=at
        ),
        **_rankings({"a show": show, "an episode": episode}, ever),
        "weekday by hour, two years": lambda: charts.week(show, ever, zone),
        "listeners by month": lambda: charts.listeners_of_months(show, ever),
        "not counted, 90 days": lambda: drop_days.drops_by_day(
            show, Period.last_days(_QUARTER, today=today)
        ),
        "not counted, two years": lambda: drop_days.drops_by_day(show, ever),
        "downloads beside it": lambda: drop_days.downloads_by_utc_day(show, ever),
    }


def _rankings(scopes: Mapping[str, Scope], period: Period) -> dict[str, Chart]:
    dimensions = {
        "apps": Dimension.APP,
        "devices": Dimension.DEVICE,
        "countries": Dimension.COUNTRY,
        "websites": Dimension.REFERRER,
    }
    return {
        f"{of}, two years of {whose}": _parts(scope, period, dimension)
        for whose, scope in scopes.items()
        for of, dimension in dimensions.items()
    }


def _parts(scope: Scope, period: Period, dimension: Dimension) -> Chart:
    return lambda: charts.parts(scope, period, dimension)


def _by_first_days(busy: BusyShow, at: datetime) -> dict[str, Chart]:
    """All episodes, sorted by a column of the table, and the whole table for an export."""
    sorting = {
        f"sorted by the first {days} days": _first_days(busy, days, at)
        for days in first_days.MILESTONE_DAYS
    }
    return sorting | {
        "first days, all episodes": lambda: episode_figures.figures_of_episodes(
            busy.episodes, show=busy.show, now=at
        )
    }


def _first_days(busy: BusyShow, days: int, at: datetime) -> Chart:
    return lambda: first_days.downloads_within(busy.episodes, show=busy.show, days=[days], now=at)


class _Stopwatch:
    """Adds up what the queries inside it took, as the process that asks sees it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        begin = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.seconds += time.perf_counter() - begin


def _sql_ms(chart: Chart) -> float:
    watch = _Stopwatch()
    with connection.execute_wrapper(watch):
        chart()
    return watch.seconds * 1000
