"""Charts as tables: what a page shows below a chart, and what programs and spreadsheets get."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from apps.downloads.charts import Bucket, Hour, MonthOfListeners, Part, Window
from apps.downloads.drop_days import DropDay
from apps.downloads.drop_reasons import drop_label
from apps.downloads.episode_curves import STEP_HOURS, Curve
from apps.downloads.episode_figures import EpisodeFigures
from apps.downloads.first_days import MILESTONE_DAYS

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PROVISIONAL, FINAL = STATUSES = ("provisional", "final")

type Cell = str | int | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` is for programs and stays; ``label`` is for people."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with as many cells as there are columns; None is not known yet, or not defined."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def headings(self) -> list[tuple[Column, bool]]:
        """Each column, and whether it holds numbers."""
        return [
            (column, all(isinstance(row[index], int | None) for row in self.rows))
            for index, column in enumerate(self.columns)
        ]

    def records(self) -> list[dict[str, str | int | None]]:
        """For programs: an object for each row, with days and times as ISO 8601 has them."""
        keys = [column.key for column in self.columns]
        return [dict(zip(keys, map(plain, row), strict=True)) for row in self.rows]

    def lines(self) -> list[list[str | int | None]]:
        """For spreadsheets: the columns' keys, then the rows."""
        return [[column.key for column in self.columns], *(list(map(plain, r)) for r in self.rows)]


def plain(cell: Cell) -> str | int | None:
    """A cell as JSON and CSV hold it."""
    return cell.isoformat() if isinstance(cell, date) else cell


def percents(counts: Sequence[int]) -> list[int]:
    """The share of each in their sum, rounded."""
    total = sum(counts) or 1
    return [round(100 * count / total) for count in counts]


def status(last: date, first_open: date) -> str:
    """Whether late reports can still change what ends with this day."""
    return PROVISIONAL if last >= first_open else FINAL


def point_table(
    points: Iterable[tuple[str, int]], *, label: str, statuses: Sequence[str] | None = None
) -> Table:
    """Downloads at each place of a chart, and their status where that is told."""
    columns = [Column("when", label), Column("downloads", "Downloads")]
    if statuses is None:
        return Table(columns, list(points))
    rows = [(*point, each) for point, each in zip(points, statuses, strict=True)]
    return Table([*columns, Column("status", "Status")], rows)


def window_table(windows: Iterable[Window]) -> Table:
    """Downloads of the last days beside as many before."""
    columns = (
        Column("days", "Last days"),
        Column("downloads", "Downloads"),
        Column("before", "In as many days before"),
    )
    return Table(columns, [(each.days, each.count, each.before) for each in windows])


def time_table(buckets: Iterable[Bucket], *, first_open: date, has_listeners: bool) -> Table:
    """Downloads over time; listeners where each row is a day of a show."""
    columns = [
        Column("from", "From"),
        Column("to", "To"),
        Column("downloads", "Downloads"),
        Column("from_requests_only", "Of these known from requests only"),
        Column("status", "Status"),
    ]
    if has_listeners:
        columns.append(Column("listeners_on_utc_day", "Listeners on that day of UTC"))
    return Table(
        columns,
        [
            (
                each.first,
                each.last,
                each.downloads,
                each.provisional,
                status(each.last, first_open),
                *((each.listeners,) if has_listeners else ()),
            )
            for each in buckets
        ],
    )


def hour_status(begin: datetime, first_open_utc: date) -> str:
    """Whether late reports can still change an hour: days of UTC are closed, whatever the zone."""
    return status(begin.astimezone(UTC).date(), first_open_utc)


def hour_table(hours: Iterable[Hour], zone: ZoneInfo, *, first_open_utc: date) -> Table:
    """Downloads by the hour, each told by its beginning in the show's zone and in UTC."""
    columns = (
        Column("hour", "Hour"),
        Column("hour_utc", "In UTC"),
        Column("downloads", "Downloads"),
        Column("from_requests_only", "Of these known from requests only"),
        Column("status", "Status"),
    )
    rows = [
        (
            each.begin.astimezone(zone),
            each.begin,
            each.downloads,
            each.provisional,
            hour_status(each.begin, first_open_utc),
        )
        for each in hours
    ]
    return Table(columns, rows)


def part_table(parts: Sequence[Part], *, key: str, label: str, names: Mapping[str, str]) -> Table:
    """Apps, devices, countries or websites with their share of the sum, in percent."""
    columns = (
        Column(key, label),
        Column("name", "Name"),
        Column("downloads", "Downloads"),
        Column("from_requests_only", "Of these known from requests only"),
        Column("percent", "Percent"),
    )
    shares = percents([part.downloads for part in parts])
    rows = [
        (
            part.value,
            names.get(part.value, part.value),
            part.downloads,
            part.provisional,
            share,
        )
        for part, share in zip(parts, shares, strict=True)
    ]
    return Table(columns, rows)


def week_table(grid: Sequence[Sequence[int]]) -> Table:
    """A row for each weekday and hour, Monday's midnight first."""
    columns = (
        Column("weekday", "Weekday"),
        Column("hour", "Hour"),
        Column("downloads", "Downloads"),
    )
    rows = [
        (WEEKDAYS[weekday], hour, downloads)
        for weekday, hours in enumerate(grid)
        for hour, downloads in enumerate(hours)
    ]
    return Table(columns, rows)


def last_day_of(month: date) -> date:
    """The last day of the month that begins with this one."""
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def month_table(months: Iterable[MonthOfListeners], *, first_open_utc: date) -> Table:
    """About how many listeners each month of UTC had."""
    columns = (
        Column("month", "Month of UTC"),
        Column("listeners_about", "Listeners, about"),
        Column("status", "Status"),
    )
    rows = [
        (each.month, each.listeners, status(last_day_of(each.month), first_open_utc))
        for each in months
    ]
    return Table(columns, rows)


def curve_table(curves: Sequence[Curve], *, days: int, titles: Mapping[UUID, str]) -> Table:
    """A row for each step after publication, with all downloads of each episode up to its end."""
    hours = STEP_HOURS[days]
    columns = [Column("hours_after_publication", "Hours after publication")]
    columns += [Column(str(curve.episode), titles[curve.episode]) for curve in curves]
    steps = days * 24 // hours
    rows = [
        ((number + 1) * hours, *(curve.points[number] for curve in curves))
        for number in range(steps)
    ]
    return Table(columns, rows)


def first_days_key(days: int) -> str:
    """How programs call an episode's downloads in so many days."""
    return f"first_{days}_days"


def episode_table(
    episodes: Iterable[tuple[UUID, str, datetime]], figures: Mapping[UUID, EpisodeFigures]
) -> Table:
    """Episodes (id, title, publication) with the downloads of their first days, once over."""
    columns = (
        Column("episode", "Episode"),
        Column("title", "Title"),
        Column("published_at", "Published"),
        *(
            Column(first_days_key(days), "First day" if days == 1 else f"First {days} days")
            for days in MILESTONE_DAYS
        ),
        Column("all_time", "All time"),
    )
    rows: list[list[Cell]] = [
        [
            str(number),
            title,
            published_at,
            *(count for _, count in figures[number].milestones),
            figures[number].all_time,
        ]
        for number, title, published_at in episodes
    ]
    return Table(columns, rows)


def drop_table(
    drops: Iterable[DropDay], downloads: Mapping[date, int], *, first_open_utc: date
) -> Table:
    """A row for each of these days, with its downloads and what was dropped for each reason.

    Reasons are those that occur, the most frequent first; their columns are the last ones.
    """
    counts: dict[tuple[date, str], int] = {}
    sums: dict[str, int] = {}
    for drop in drops:
        counts[drop.day, drop.reason] = drop.count
        sums[drop.reason] = sums.get(drop.reason, 0) + drop.count
    reasons = sorted(sums, key=lambda reason: (-sums[reason], reason))
    columns = (
        Column("day_utc", "Day of UTC"),
        Column("downloads", "Downloads"),
        Column("status", "Status"),
        *(Column(reason, drop_label(reason)) for reason in reasons),
    )
    rows: list[list[Cell]] = [
        [
            day,
            count,
            status(day, first_open_utc),
            *(counts.get((day, reason), 0) for reason in reasons),
        ]
        for day, count in downloads.items()
    ]
    return Table(columns, rows)
