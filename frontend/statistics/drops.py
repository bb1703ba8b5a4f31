"""Why a show's figures are lower than another host's: what was not counted, by day and reason."""

from dataclasses import dataclass

from apps.downloads import chart_tables
from apps.downloads.drop_days import downloads_by_utc_day, drops_by_day
from apps.downloads.drop_reasons import Explanation, explain
from apps.downloads.totals import Period
from frontend.statistics import words
from frontend.statistics.panels import Panel
from frontend.statistics.plots import Series, Slot, draw
from frontend.statistics.subject import Subject

# More colours than these nobody tells apart; the rest is one piece.
MOST_COLOURS = 6


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reason with how often it applied; ``css`` is its colour in the chart, if it has its own."""

    explanation: Explanation
    count: int
    percent: int
    css: str


def drop_panel(subject: Subject, period: Period) -> tuple[Panel, list[ReasonRow], int]:
    """The chart, the reasons that applied, most frequent first, and the downloads beside them."""
    drops = drops_by_day(subject.scope, period)
    downloads = downloads_by_utc_day(subject.scope, period)
    table = chart_tables.drop_table(drops, downloads)
    reasons = [column.key for column in table.columns[2:]]
    counts = {
        reason: [int(str(row[2 + number])) for row in table.rows]
        for number, reason in enumerate(reasons)
    }
    slots = [
        Slot(
            label=words.day(day),
            words=[
                words.whole_day(day),
                words.counted(downloads[day]),
                *(
                    f"{explain(reason).label}: {words.grouped(counts[reason][index])}"
                    for reason in reasons
                    if counts[reason][index]
                ),
            ],
        )
        for index, day in enumerate(downloads)
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
        title="Not counted, by day",
        note="Days of UTC",
        table=table,
        plot=draw(slots, stacked=own, label="Requests that were not counted on each day"),
        empty="" if reasons else "Nothing was left out in this time.",
    )
    return panel, _rows(reasons, counts), sum(downloads.values())


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
