"""Why a show's figures are lower than another host's: what was not counted, by day and reason."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from apps.downloads import chart_tables
from apps.downloads.charts import Bucket
from apps.downloads.drop_days import downloads_by_utc_day, drops_by_day
from apps.downloads.drop_reasons import Explanation, explain
from apps.downloads.subject import Subject
from frontend.statistics import words
from frontend.statistics.choices import Choice
from frontend.statistics.panel import Panel
from frontend.statistics.plots import Series, Slot, draw

# More colours than these nobody tells apart; the rest is one piece.
MOST_COLOURS = 6


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason with how often it applied; ``css`` is its colour in the chart, if it has its own."""

    explanation: Explanation
    count: int
    percent: int
    css: str


def drop_panel(subject: Subject, choice: Choice) -> tuple[Panel, list[ReasonRow], int]:
    """The chart, the reasons that applied, most frequent first, and the downloads beside them."""
    drops = drops_by_day(subject.scope, choice.period)
    downloads = downloads_by_utc_day(subject.scope, choice.period)
    table = chart_tables.drop_table(drops, downloads, first_open_utc=subject.first_open_utc)
    reasons = [column.key for column in table.columns[3:]]
    spans = [list(days) for _, days in groupby(downloads, choice.grain.first_day)]
    found = {(drop.day, drop.reason): drop.count for drop in drops}
    counts = {
        reason: [sum(found.get((day, reason), 0) for day in days) for days in spans]
        for reason in reasons
    }
    slots = [
        _slot(
            days,
            choice,
            sum(downloads[day] for day in days),
            _at(counts, index),
            is_open=days[-1] >= subject.first_open_utc,
        )
        for index, days in enumerate(spans)
    ]
    own = [
        Series(explain(reason).label, _css(number), counts[reason])
        for number, reason in enumerate(reasons[:MOST_COLOURS])
    ]
    if rest := reasons[MOST_COLOURS:]:
        summed = [sum(day) for day in zip(*(counts[reason] for reason in rest), strict=True)]
        own.append(Series("Other reasons", _css(MOST_COLOURS), summed))
    panel = Panel(
        key="not-counted",
        title=f"Not counted, by {choice.grain}",
        note="Days of UTC",
        table=table,
        plot=draw(slots, stacked=own, label=f"Requests that were not counted, by {choice.grain}"),
        empty="" if reasons else "Nothing was left out in this time.",
    )
    return panel, _rows(reasons, counts), sum(downloads.values())


def _slot(
    days: list[date], choice: Choice, downloads: int, counts: dict[str, int], *, is_open: bool
) -> Slot:
    bucket = Bucket(days[0], days[-1], downloads, provisional=0, listeners=None)
    dropped = (
        f"{explain(reason).label}: {words.grouped(count)}"
        for reason, count in counts.items()
        if count
    )
    return Slot(
        label=words.bucket_label(bucket, choice.grain, has_years=choice.has_years),
        words=[words.bucket_words(bucket, choice.grain), words.counted(downloads), *dropped],
        is_open=is_open,
    )


def _at(counts: dict[str, list[int]], index: int) -> dict[str, int]:
    return {reason: values[index] for reason, values in counts.items()}


def _css(number: int) -> str:
    return f"plot__piece--{number + 1}"


def _rows(reasons: list[str], counts: dict[str, list[int]]) -> list[ReasonRow]:
    sums = {reason: sum(counts[reason]) for reason in reasons}
    total = sum(sums.values()) or 1
    return [
        ReasonRow(
            explain(reason),
            sums[reason],
            round(100 * sums[reason] / total),
            _css(min(number, MOST_COLOURS)),
        )
        for number, reason in enumerate(reasons)
    ]
