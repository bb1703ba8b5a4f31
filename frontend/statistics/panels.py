"""The charts of a statistics page: each with its drawing, and the same numbers as a table."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from apps.downloads import chart_tables, charts
from apps.downloads.chart_tables import Table
from apps.downloads.charts import Bucket, Part, Window
from apps.downloads.models import Dimension
from apps.downloads.referrers import referrer_name
from apps.downloads.totals import Period
from apps.live.country_names import country_name
from frontend.show_figures import Trend, trend
from frontend.statistics import words
from frontend.statistics.choices import Choice
from frontend.statistics.plots import Plot, Series, Slot, draw
from frontend.statistics.subject import Subject
from podcasts.access import episodes_of

MOST_RANKED = 8
NARROW_PLOT = 200

DOWNLOADS = "plot__bar"
FROM_REQUESTS = "plot__bar plot__bar--requests"
LISTENERS = "plot__line plot__line--listeners"


@dataclass(frozen=True)
class Rank:
    """One line of a ranking; ``width`` is its bar's, in percent of the first one's.

    ``code`` is a country's of ISO 3166-1: flags of letters are not in every system's fonts.
    """

    name: str
    count: int
    percent: int
    width: float
    code: str = ""


@dataclass(frozen=True)
class Panel:
    """One chart; ``key`` names its exports, ``empty`` says what to do while there is nothing."""

    key: str
    title: str
    table: Table
    note: str = ""
    plot: Plot | None = None
    ranks: Sequence[Rank] = ()
    grid: Sequence["GridRow"] = ()
    empty: str = ""
    marks: Sequence["Mark"] = field(default=())


@dataclass(frozen=True)
class Mark:
    """An episode that came out within a chart."""

    episode: UUID
    title: str
    at: datetime


@dataclass(frozen=True)
class GridCell:
    """An hour of a weekday; ``level`` is from 0 (nothing) to 8 (the most)."""

    hour: int
    count: int
    level: int
    words: str


@dataclass(frozen=True)
class GridRow:
    """A weekday."""

    name: str
    short: str
    cells: Sequence[GridCell]


def headline(subject: Subject) -> list[tuple[str, Trend]]:
    """The last 7, 30 and 90 days against as many before."""
    found = charts.windows(subject.scope, today=subject.today)
    return [(f"Last {window.days} days", _trend(window)) for window in found]


def _trend(window: Window) -> Trend:
    return trend(window.count, window.before, days=window.days, line=window.line)


def published_between(subject: Subject, first: datetime, end: datetime) -> list[Mark]:
    """What came out of the show in this time; of an episode, itself."""
    rows = (
        episodes_of(subject.show)
        .select_related(None)
        .prefetch_related(None)
        .filter(published_at__gte=first, published_at__lt=end, published_at__lte=subject.at)
    )
    if subject.episode:
        rows = rows.filter(pk=subject.episode.pk)
    found = rows.order_by("published_at").values_list("pk", "title", "published_at")
    return [Mark(number, title, at) for number, title, at in found if at]


def time_panel(subject: Subject, choice: Choice) -> Panel:
    """Downloads over the chosen period, with listeners by the day and with new episodes."""
    buckets = charts.over_time(subject.scope, choice.period, choice.grain)
    has_listeners = choice.grain == "day" and not subject.episode
    marks = published_between(subject, *charts.instants(choice.period, subject.zone))
    titles = _by_slot(marks, lambda at: at.astimezone(subject.zone).date())
    slots = [
        Slot(
            label=words.bucket_label(bucket, choice.grain, has_years=choice.has_years),
            words=_bucket_words(bucket, choice, subject, has_listeners=has_listeners),
            is_open=bucket.last >= subject.first_open,
            # By the week or the month nearly every place would have a mark.
            episodes=titles.get(bucket.first, ()) if choice.grain == "day" else (),
        )
        for bucket in buckets
    ]
    lines = []
    if has_listeners:
        listeners = [bucket.listeners for bucket in buckets]
        lines.append(Series("Listeners, per day of UTC", LISTENERS, listeners))
    return Panel(
        key="downloads",
        title="Downloads",
        note=choice.words,
        table=chart_tables.time_table(
            buckets, first_open=subject.first_open, has_listeners=has_listeners
        ),
        plot=draw(
            slots,
            stacked=_split(buckets),
            lines=lines,
            label=f"Downloads by {choice.grain}, {choice.words}",
        ),
        empty="" if any(bucket.downloads for bucket in buckets) else "No downloads in this time.",
        marks=marks,
    )


def _split(points: Sequence[Bucket | charts.Hour]) -> list[Series]:
    """What is certain, and what only requests tell, where there is any of that."""
    known = [point.provisional for point in points]
    certain = [point.downloads - point.provisional for point in points]
    if not any(known):
        return [Series("Downloads", DOWNLOADS, certain)]
    return [
        Series("Downloads", DOWNLOADS, certain),
        Series("Known from requests only", FROM_REQUESTS, known),
    ]


def _bucket_words(
    bucket: Bucket, choice: Choice, subject: Subject, *, has_listeners: bool
) -> list[str]:
    said = [words.bucket_words(bucket, choice.grain), words.counted(bucket.downloads)]
    if has_listeners and bucket.listeners is not None:
        said.append(words.counted(bucket.listeners, "listener"))
    if bucket.provisional:
        said.append(f"{words.grouped(bucket.provisional)} of them known from requests only")
    if bucket.last >= subject.first_open:
        said.append("Provisional: late reports can still raise it")
    return said


def _by_slot[Key](marks: Sequence[Mark], key: Callable[[datetime], Key]) -> dict[Key, list[str]]:
    titles: defaultdict[Key, list[str]] = defaultdict(list)
    for mark in marks:
        titles[key(mark.at)].append(mark.title)
    return titles


def hour_panel(subject: Subject, hours: int) -> Panel:
    """The last hours, with new episodes."""
    found = charts.hours(subject.scope, now=subject.at, count=hours)
    marks = published_between(subject, found[0].begin, found[-1].begin + timedelta(hours=1))
    titles = _by_slot(
        marks, lambda at: at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    )
    slots = []
    for each in found:
        local = each.begin.astimezone(subject.zone)
        said = [words.hour(local), words.counted(each.downloads)]
        if each.provisional:
            said.append(f"{words.grouped(each.provisional)} of them known from requests only")
        label = f"{local:%a %H:%M}" if hours <= 48 else f"{local:%a} {local.day} {local:%b}"
        slots.append(Slot(label, said, episodes=titles.get(each.begin, ())))
    label = "48 hours" if hours == 48 else "7 days"
    return Panel(
        key="hours",
        title=f"The last {label} by the hour",
        note=f"Hours as in {_zone_name(subject)}",
        table=chart_tables.hour_table(found, subject.zone),
        plot=draw(
            slots,
            stacked=_split(found),
            label=f"Downloads in each of the last {hours} hours",
            height=NARROW_PLOT,
        ),
        empty="" if any(each.downloads for each in found) else f"Nothing in the last {label}.",
        marks=marks,
    )


def _zone_name(subject: Subject) -> str:
    return subject.show.time_zone.replace("_", " ")


def part_panels(subject: Subject, period: Period) -> list[Panel]:
    """Apps, devices, countries and websites."""
    return [part_panel(subject, period, key) for key in _PARTS]


def part_panel(subject: Subject, period: Period, key: str) -> Panel:
    """One of ``PART_KEYS``."""
    dimension, title, column, unknown, note, empty = _PARTS[key]
    parts = charts.parts(subject.scope, period, dimension)
    if dimension is Dimension.REFERRER:
        parts = _by_player(parts)
    names = {part.value: _part_name(dimension, part.value) or unknown for part in parts}
    total = sum(part.downloads for part in parts) or 1
    highest = parts[0].downloads if parts else 1
    return Panel(
        key=key,
        title=title,
        note=note,
        table=chart_tables.part_table(parts, key=dimension.value, label=column, names=names),
        ranks=[
            Rank(
                name=names[part.value],
                count=part.downloads,
                percent=round(100 * part.downloads / total),
                width=round(100 * part.downloads / highest, 2),
                code=part.value if dimension is Dimension.COUNTRY else "",
            )
            for part in parts[:MOST_RANKED]
        ],
        empty="" if parts else empty,
    )


_NOTHING = "No downloads in this time."
# Key of the export: dimension, title, first column, unknown, note, what to say when empty.
_PARTS: Mapping[str, tuple[Dimension, str, str, str, str, str]] = {
    "apps": (Dimension.APP, "Apps", "App", "Unknown app", "", _NOTHING),
    "devices": (Dimension.DEVICE, "Devices", "Device", "Unknown device", "", _NOTHING),
    "countries": (Dimension.COUNTRY, "Countries", "Code", "Unknown", "", _NOTHING),
    "websites": (
        Dimension.REFERRER,
        "Websites",
        "Site",
        "Unknown",
        "On which a player was used",
        "Nobody used a player on a website. Your public page has one.",
    ),
}
PART_KEYS = tuple(_PARTS)


def _part_name(dimension: Dimension, value: str) -> str:
    return country_name(value) if dimension is Dimension.COUNTRY else value


def _by_player(parts: Sequence[Part]) -> list[Part]:
    """Hosts of one web player are one line."""
    sums: dict[str, tuple[int, int]] = {}
    for part in parts:
        name = referrer_name(part.value)
        before = sums.get(name, (0, 0))
        sums[name] = before[0] + part.downloads, before[1] + part.provisional
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    return [Part(name, *counts) for name, counts in ordered]


def week_panel(subject: Subject, period: Period) -> Panel:
    """When people download: weekday by hour."""
    grid = charts.week(subject.scope, period, subject.zone)
    highest = max(max(row) for row in grid)
    rows = [
        GridRow(
            name=name,
            short=name[:2],
            cells=[
                GridCell(
                    hour=hour,
                    count=count,
                    level=-(-8 * count // highest) if highest else 0,
                    words=f"{name}, {hour:02}:00\n{words.counted(count)}",
                )
                for hour, count in enumerate(row)
            ],
        )
        for name, row in zip(chart_tables.WEEKDAYS, grid, strict=True)
    ]
    return Panel(
        key="week",
        title="When they download",
        note=f"Weekday by hour, as in {_zone_name(subject)}",
        table=chart_tables.week_table(grid),
        grid=rows if highest else (),
        empty="" if highest else _NOTHING,
    )


def month_panel(subject: Subject, period: Period) -> Panel:
    """About how many different listeners each month had; always of at least a year."""
    first = min(period.first, period.last - timedelta(days=364))
    found = charts.listeners_of_months(subject.scope, Period(first, period.last))
    while found and not found[0].listeners:
        found = found[1:]
    slots = [
        Slot(
            label=f"{each.month:%b %Y}",
            words=(f"{each.month:%B %Y}", f"about {words.counted(each.listeners, 'listener')}"),
            is_open=_is_open_month(each.month, subject),
        )
        for each in found
    ]
    counts = [each.listeners for each in found]
    return Panel(
        key="listeners",
        title="Listeners by month",
        note="About how many different ones, in months of UTC: within some 2 percent",
        table=chart_tables.month_table(found),
        plot=draw(
            slots,
            stacked=[Series("Listeners", DOWNLOADS, counts)],
            label="About how many different listeners each month had",
            height=NARROW_PLOT,
        ),
        empty="" if found else "Months appear here with the first listener.",
    )


def _is_open_month(month: date, subject: Subject) -> bool:
    return month.replace(day=28) + timedelta(days=4) > subject.first_open
