"""Charts drawn on the server: SVG geometry from numbers, no script and no inline style."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django import template

from apps.downloads.chart_tables import FINAL, PROVISIONAL, point_table
from frontend.show_figures import Mark as EpisodeMark
from frontend.statistics import words

register = template.Library()

PLOT_TOP = 12.0
AXIS_HEIGHT = 24.0
GUTTER_PERCENT = 0.28  # of a bar's slot that stays empty


@dataclass(frozen=True)
class Bar:
    """One bar: x and width in percent of the plot, y and height in pixels.

    Its slot is where a pointer or the keyboard finds it, and ``words`` what it says then.
    """

    value: int
    words: str
    x: float
    width: float
    y: float
    height: float
    slot_x: float
    slot_width: float
    is_open: bool
    is_last: bool


@dataclass(frozen=True)
class Mark:
    """A written value on one of the axes."""

    label: str
    position: float
    anchor: str = "middle"


def nice_ceiling(highest: float) -> int:
    """The least round number (1, 2, 4, 5 or 10 times a power of ten), and even, not below."""
    step = 1
    while True:
        for factor in (1, 2, 4, 5):
            if factor * step >= highest and factor * step % 2 == 0:
                return max(factor * step, 4)
        step *= 10


def _label_marks(labels: Sequence[str], wanted: int = 5) -> list[Mark]:
    """Few enough labels to stand apart on a phone: the first, the last and some between."""
    count = len(labels)
    if count == 0:
        return []
    slot = 100 / count
    chosen = sorted({round(i * (count - 1) / max(wanted - 1, 1)) for i in range(wanted)})
    marks = []
    for index in chosen:
        if index == 0 and count > wanted:
            marks.append(Mark(labels[index], 0, "start"))
        elif index == count - 1 and count > wanted:
            marks.append(Mark(labels[index], 100, "end"))
        else:
            marks.append(Mark(labels[index], round((index + 0.5) * slot, 3)))
    return marks


def _value_marks(top: int, plot_height: float) -> list[Mark]:
    return [
        Mark(words.grouped(top * share // 4), round(PLOT_TOP + plot_height * (1 - share / 4), 2))
        for share in (0, 2, 4)
    ]


@register.inclusion_tag("components/bar_chart.html")
def bar_chart(
    points: Iterable[tuple[object, int]],
    *,
    label: str,
    height: int = 220,
    chart_id: str = "chart",
    provisional: int = 0,
    marks: Sequence[EpisodeMark] = (),
) -> dict[str, object]:
    """Downloads over time from ``(label, value)`` pairs, the last one lit as the period that runs.

    With a ``chart_id`` of its own, charts.js can raise the last bar while the page is open. Of
    ``provisional`` points, the last ones, it says that they are, and of the others that they are
    final. ``marks`` are days with new episodes.
    """
    rows = [(str(name), int(value)) for name, value in points]
    top = nice_ceiling(max((value for _, value in rows), default=0))
    plot_height = height - PLOT_TOP - AXIS_HEIGHT
    first_open = len(rows) - provisional
    news = {mark.index: mark.titles for mark in marks}
    statuses = [PROVISIONAL if index >= first_open else FINAL for index in range(len(rows))]
    return {
        "bars": _bars(rows, top=top, plot_height=plot_height, first_open=first_open, news=news),
        "marks": marks,
        "table": point_table(rows, label="When", statuses=statuses if provisional else None),
        "label": label,
        "height": height,
        "chart_id": chart_id,
        "top": top,
        "plot_top": PLOT_TOP,
        "plot_height": plot_height,
        "plot_bottom": PLOT_TOP + plot_height,
        "label_y": height - 5,
        "x_marks": _label_marks([name for name, _ in rows]),
        "y_marks": _value_marks(top, plot_height),
    }


def _bars(
    rows: Sequence[tuple[str, int]],
    *,
    top: int,
    plot_height: float,
    first_open: int,
    news: Mapping[int, str],
) -> list[Bar]:
    slot = 100 / max(len(rows), 1)
    return [
        Bar(
            value=value,
            words="\n".join(
                _bar_words(name, value, is_open=index >= first_open, new=news.get(index, ""))
            ),
            x=round(index * slot + slot * GUTTER_PERCENT / 2, 3),
            width=round(slot * (1 - GUTTER_PERCENT), 3),
            y=round(PLOT_TOP + plot_height * (1 - value / top), 2),
            height=round(plot_height * value / top, 2),
            slot_x=round(index * slot, 3),
            slot_width=round(slot, 3),
            # Where everything is open, looking different would tell nothing.
            is_open=index >= first_open > 0,
            is_last=index == len(rows) - 1,
        )
        for index, (name, value) in enumerate(rows)
    ]


def _bar_words(name: str, value: int, *, is_open: bool, new: str) -> Iterator[str]:
    yield name
    yield words.counted(value)
    if is_open:
        yield words.PROVISIONAL
    if new:
        yield f"New: {new}"


def _line(values: Sequence[float], top: float) -> list[tuple[float, float]]:
    """Points of a line in a 100 x 100 box, y downwards, with a little air above and below."""
    step = 100 / max(len(values) - 1, 1)
    return [(round(i * step, 2), round(94 - 88 * value / top, 2)) for i, value in enumerate(values)]


@register.inclusion_tag("components/sparkline.html")
def sparkline(values: Iterable[float]) -> dict[str, object]:
    """A tiny line beside a number that says the same in words, so it is hidden from readers."""
    numbers = [float(value) for value in values]
    points = _line(numbers, max([*numbers, 1])) if len(numbers) > 1 else []
    return {
        "path": "M" + "L".join(f"{x} {y}" for x, y in points) if points else "",
        "last_y": points[-1][1] if points else 0,
    }


@register.inclusion_tag("components/bars.html")
def bars(items: Iterable[tuple[object, int]], *, empty: str = "Nothing yet.") -> dict[str, object]:
    """A ranked list with proportional bars from ``(name, count)`` pairs, e.g. top apps."""
    rows = [(str(name), int(count)) for name, count in items]
    highest = max((count for _, count in rows), default=0) or 1
    total = sum(count for _, count in rows) or 1
    return {
        "rows": [
            {
                "name": name,
                "count": count,
                "width": round(100 * count / highest, 2),
                "share": round(100 * count / total),
            }
            for name, count in rows
        ],
        "empty": empty,
    }


MINUTES_HEIGHT = 48.0


@register.inclusion_tag("components/minutes.html")
def minute_bars(minutes: Sequence[int]) -> dict[str, object]:
    """A live page's last hour, a bar for each minute; the last minute is still running.

    The table begins with that one: what is new stands where one looks first.
    """
    most = max(minutes, default=0)
    heights = [MINUTES_HEIGHT * count / most if most else 0.0 for count in minutes]
    names = [words.minutes_ago(len(minutes) - number) for number in range(1, len(minutes) + 1)]
    points = list(zip(names, minutes, strict=True))
    return {
        "bars": [
            {
                "x": index,
                "width": 0.8,
                "y": round(MINUTES_HEIGHT - height, 2),
                "height": round(height, 2),
                "words": f"{name}\n{words.counted(count)}",
            }
            for index, (height, (name, count)) in enumerate(zip(heights, points, strict=True))
        ],
        "table": point_table(points[::-1], label="Minute"),
        "width": len(minutes),
        "height": f"{MINUTES_HEIGHT:g}",
        "total": sum(minutes),
        "most": most,
    }
