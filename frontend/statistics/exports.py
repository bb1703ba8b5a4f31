"""The numbers of a chart for spreadsheets and programs, by the chart's key."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse, QueryDict

from apps.core.spreadsheets import csv_text
from apps.downloads import charts
from apps.downloads.chart_tables import Table, window_table
from apps.downloads.episode_table import published_episodes
from apps.downloads.subject import Subject
from apps.downloads.totals import Period
from frontend.statistics import choices, drops, episodes, rankings, timelines, week
from frontend.statistics.choices import Choice

type Maker = Callable[[Subject, QueryDict], Table]
type Stretch = Callable[[Subject, QueryDict], Period]


def choice_of(subject: Subject, query: QueryDict) -> Choice:
    """The period of the page that the export is linked from."""
    return _choice(subject, query, today=subject.today)


def utc_choice_of(subject: Subject, query: QueryDict) -> Choice:
    """The same in days of UTC."""
    return _choice(subject, query, today=subject.today_utc)


def _choice(subject: Subject, query: QueryDict, *, today: date) -> Choice:
    return choices.choose(
        query.dict(),  # type: ignore[arg-type]
        today=today,
        first_day=lambda: charts.first_day(subject.scope),
    )


def _headline(subject: Subject, query: QueryDict) -> Table:
    return window_table(charts.windows(subject.scope, today=subject.today))


def _time(subject: Subject, query: QueryDict) -> Table:
    return timelines.time_panel(subject, choice_of(subject, query)).table


def _hours(subject: Subject, query: QueryDict) -> Table:
    hours = choices.hours_of(query.dict())  # type: ignore[arg-type]
    return timelines.hour_panel(subject, hours).table


def _part(key: str) -> Maker:
    return lambda subject, query: (
        rankings.part_panel(subject, choice_of(subject, query).period, key).table
    )


def _week(subject: Subject, query: QueryDict) -> Table:
    return week.week_panel(subject, choice_of(subject, query).period).table


def _months(subject: Subject, query: QueryDict) -> Table:
    return timelines.month_panel(subject, choice_of(subject, query).period).table


def _compare(subject: Subject, query: QueryDict) -> Table:
    days = choices.curve_days_of(query.dict())  # type: ignore[arg-type]
    chosen = episodes.chosen_episodes(
        published_episodes(subject),
        query.getlist("compare"),
        subject=subject,
        days=days,
    )
    return episodes.compare_panel(subject, chosen, days=days).table


def _episodes(subject: Subject, query: QueryDict) -> Table:
    return episodes.all_rows(subject)


def _drops(subject: Subject, query: QueryDict) -> Table:
    panel, _, _ = drops.drop_panel(subject, utc_choice_of(subject, query))
    return panel.table


OF_EPISODES: dict[str, Maker] = {
    "headline": _headline,
    "downloads": _time,
    "hours": _hours,
    "week": _week,
    "compare": _compare,
    **{key: _part(key) for key in rankings.PART_KEYS},
}
OF_SHOWS: dict[str, Maker] = {
    **OF_EPISODES,
    "listeners": _months,
    "episodes": _episodes,
    "not-counted": _drops,
}


def _chosen(subject: Subject, query: QueryDict) -> Period:
    return choice_of(subject, query).period


# Those that aren't of a chosen period: the headline's are the last, hours say their own, and first
# days begin with publication.
_STRETCHES: dict[str, Stretch | None] = {
    "listeners": lambda subject, query: timelines.months_shown(choice_of(subject, query).period),
    "not-counted": lambda subject, query: utc_choice_of(subject, query).period,
    **dict.fromkeys(("headline", "hours", "compare", "episodes")),
}
_IN_UTC = ("listeners", "not-counted")


def period_of(subject: Subject, chart: str, query: QueryDict) -> Period | None:
    """The days that a chart is of; None where it isn't of whole days."""
    stretch = _STRETCHES.get(chart, _chosen)
    return stretch(subject, query) if stretch else None


def table_of(subject: Subject, chart: str, query: QueryDict) -> Table:
    """The numbers of a chart; Http404 for one that there isn't."""
    makers = OF_EPISODES if subject.episode else OF_SHOWS
    if chart not in makers:
        raise Http404("There is no such chart.")
    return makers[chart](subject, query)


def as_csv(subject: Subject, chart: str, query: QueryDict) -> HttpResponse:
    """A file to save."""
    return HttpResponse(
        csv_text(table_of(subject, chart, query).lines()),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{subject.name}-{chart}.csv"',
            "Cache-Control": "no-store",
        },
    )


def as_json(subject: Subject, chart: str, query: QueryDict) -> JsonResponse:
    """An object that says what it is of and what may still change; an object for each row."""
    table, period = table_of(subject, chart, query), period_of(subject, chart, query)
    first_open = subject.first_open_utc if chart in _IN_UTC else subject.first_open
    body: dict[str, Any] = {
        "chart": chart,
        "show": str(subject.show.pk),
        "episode": str(subject.episode.pk) if subject.episode else None,
        "time_zone": subject.show.time_zone,
        "period": {"from": period.first, "to": period.last} if period else None,
        "provisional_from": first_open,
        "rows": table.records(),
    }
    return JsonResponse(body, headers={"Cache-Control": "no-store"})
