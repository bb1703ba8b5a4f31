"""The numbers of a chart for spreadsheets and programs, by the chart's key."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse, QueryDict

from apps.core.spreadsheets import csv_text
from apps.downloads import charts
from apps.downloads.chart_tables import Table
from apps.downloads.episode_table import published_episodes
from apps.downloads.subject import Subject
from frontend.statistics import choices, drops, episodes, rankings, timelines, week
from frontend.statistics.choices import Choice

type Maker = Callable[[Subject, QueryDict], Table]


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


def table_of(subject: Subject, chart: str, query: QueryDict) -> Table:
    """The numbers of a chart; Http404 for one that there isn't."""
    makers = OF_EPISODES if subject.episode else OF_SHOWS
    if chart not in makers:
        raise Http404("There is no such chart.")
    return makers[chart](subject, query)


def as_csv(subject: Subject, chart: str, table: Table) -> HttpResponse:
    """A file to save."""
    return HttpResponse(
        csv_text(table.lines()),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{subject.name}-{chart}.csv"',
            "Cache-Control": "no-store",
        },
    )


def as_json(subject: Subject, chart: str, table: Table) -> JsonResponse:
    """An object that says what it is of, with one object for each row."""
    body: dict[str, Any] = {
        "chart": chart,
        "show": str(subject.show.pk),
        "episode": str(subject.episode.pk) if subject.episode else None,
        "time_zone": subject.show.time_zone,
        "rows": table.records(),
    }
    return JsonResponse(body, headers={"Cache-Control": "no-store"})
