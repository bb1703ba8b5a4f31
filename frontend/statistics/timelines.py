"""Charts over time: the headline, the chosen period, the last hours, listeners by month."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from apps.downloads import chart_tables, charts
from apps.downloads.charts import Bucket, Window
from apps.downloads.subject import Subject
from apps.downloads.totals import Period
from frontend.show_figures import Trend, trend
from frontend.statistics import words
from frontend.statistics.choices import Choice
from frontend.statistics.panel import Mark, Panel
from frontend.statistics.plots import Series, Slot, draw
from podcasts.access import once_public

NARROW_PLOT = 200

DOWNLOADS = "plot__bar"
FROM_REQUESTS = "plot__bar plot__bar--requests"
LISTENERS = "plot__line plot__line--listeners"


def headline(subject: Subject) -> list[tuple[str, Trend]]:
    """The last 7, 30 and 90 days against as many before."""
    found = charts.windows(subject.scope, today=subject.today)
    return [(f"Last {window.days} days", _trend(window)) for window in found]


def _trend(window: Window) -> Trend:
    return trend(window.count, window.before, days=window.days, line=window.line)


def published_between(subject: Subject, first: datetime, end: datetime) -> list[Mark]:
    """What came out of the show in this time; of an episode, itself."""
    rows = once_public(subject.show, subject.at).filter(
        published_at__gte=first, published_at__lt=end
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
        said.append(words.PROVISIONAL)
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
    statuses = [chart_tables.hour_status(each.begin, subject.first_open_utc) for each in found]
    slots = []
    for each, status in zip(found, statuses, strict=True):
        local = each.begin.astimezone(subject.zone)
        said = [words.hour(local), words.counted(each.downloads)]
        if each.provisional:
            said.append(f"{words.grouped(each.provisional)} of them known from requests only")
        label = f"{local:%a %H:%M}" if hours <= 48 else f"{local:%a} {local.day} {local:%b}"
        is_open = status == chart_tables.PROVISIONAL
        if is_open:
            said.append(words.PROVISIONAL)
        # Where everything is open, looking different would tell nothing.
        looks_open = is_open and chart_tables.FINAL in statuses
        slots.append(Slot(label, said, looks_open, titles.get(each.begin, ())))
    label = "48 hours" if hours == 48 else "7 days"
    return Panel(
        key="hours",
        title=f"The last {label} by the hour",
        note=f"Hours as in {subject.zone_name}",
        table=chart_tables.hour_table(found, subject.zone, first_open_utc=subject.first_open_utc),
        plot=draw(
            slots,
            stacked=_split(found),
            label=f"Downloads in each of the last {hours} hours",
            height=NARROW_PLOT,
        ),
        empty="" if any(each.downloads for each in found) else f"Nothing in the last {label}.",
        marks=marks,
    )


def months_shown(period: Period) -> Period:
    """What listeners by month are shown of: of a shorter period the year that ends with it."""
    return Period(min(period.first, period.last - timedelta(days=364)), period.last)


def month_panel(subject: Subject, period: Period) -> Panel:
    """About how many different listeners each month had; always of at least a year."""
    found = charts.listeners_of_months(subject.scope, months_shown(period))
    while found and not found[0].listeners:
        found = found[1:]
    slots = [
        Slot(
            label=f"{each.month:%b %Y}",
            words=(f"{each.month:%B %Y}", f"about {words.counted(each.listeners, 'listener')}"),
            is_open=chart_tables.last_day_of(each.month) >= subject.first_open_utc,
        )
        for each in found
    ]
    counts = [each.listeners for each in found]
    return Panel(
        key="listeners",
        title="Listeners by month",
        note="About how many different ones, in months of UTC: within some 2 percent",
        table=chart_tables.month_table(found, first_open_utc=subject.first_open_utc),
        plot=draw(
            slots,
            stacked=[Series("Listeners", DOWNLOADS, counts)],
            label="About how many different listeners each month had",
            height=NARROW_PLOT,
        ),
        empty="" if found else "Months appear here with the first listener.",
    )
