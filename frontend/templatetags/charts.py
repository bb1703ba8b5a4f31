"""Charts drawn on the server: SVG geometry from numbers, no script and no inline style."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django import template

register = template.Library()

PLOT_TOP = 12.0
AXIS_HEIGHT = 24.0
GUTTER_PERCENT = 0.28  # of a bar's slot that stays empty


@dataclass(frozen=True)
class Bar:
    """One bar: x and width in percent of the plot, y and height in pixels."""

    label: str
    value: int
    x: float
    width: float
    y: float
    height: float
    is_last: bool


@dataclass(frozen=True)
class Mark:
    """A written value on one of the axes."""

    label: str
    position: float
    anchor: str = "middle"


def nice_ceiling(highest: float) -> int:
    """The least round number (1, 2, 4, 5 or 10 times a power of ten) that is not below."""
    step = 1
    while True:
        for factor in (1, 2, 4, 5):
            if factor * step >= highest:
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
        Mark(f"{top * share / 4:g}", round(PLOT_TOP + plot_height * (1 - share / 4), 2))
        for share in (0, 2, 4)
    ]


@register.inclusion_tag("components/bar_chart.html")
def bar_chart(
    points: Iterable[tuple[object, int]],
    *,
    label: str,
    unit: str = "downloads",
    height: int = 220,
    chart_id: str = "chart",
) -> dict[str, object]:
    """Bars over time from ``(label, value)`` pairs, the last one lit as the period that runs.

    With a ``chart_id`` of its own, charts.js can raise the last bar while the page is open.
    """
    rows = [(str(name), int(value)) for name, value in points]
    top = nice_ceiling(max((value for _, value in rows), default=0))
    plot_height = height - PLOT_TOP - AXIS_HEIGHT
    slot = 100 / max(len(rows), 1)
    bars = [
        Bar(
            label=name,
            value=value,
            x=round(index * slot + slot * GUTTER_PERCENT / 2, 3),
            width=round(slot * (1 - GUTTER_PERCENT), 3),
            y=round(PLOT_TOP + plot_height * (1 - value / top), 2),
            height=round(plot_height * value / top, 2),
            is_last=index == len(rows) - 1,
        )
        for index, (name, value) in enumerate(rows)
    ]
    return {
        "bars": bars,
        "label": label,
        "unit": unit,
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


@register.inclusion_tag("components/area_chart.html")
def area_chart(
    points: Iterable[tuple[object, float]], *, label: str, unit: str = "", height: int = 220
) -> dict[str, object]:
    """A filled line over time from ``(label, value)`` pairs."""
    rows = [(str(name), float(value)) for name, value in points]
    top = nice_ceiling(max((value for _, value in rows), default=0))
    line = "L".join(f"{x} {y}" for x, y in _line([v for _, v in rows], top))
    return {
        "rows": rows,
        "label": label,
        "unit": unit,
        "height": height,
        "plot_height": height - AXIS_HEIGHT,
        "label_y": height - 5,
        "path": f"M{line}" if len(rows) > 1 else "",
        "x_marks": _label_marks([name for name, _ in rows]),
        "top": top,
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
    """A live page's last hour, a bar for each minute; the last minute is still running."""
    most = max(minutes, default=0)
    heights = [MINUTES_HEIGHT * count / most if most else 0.0 for count in minutes]
    return {
        "bars": [
            {"x": index, "width": 0.8, "y": round(MINUTES_HEIGHT - h, 2), "height": round(h, 2)}
            for index, h in enumerate(heights)
        ],
        "width": len(minutes),
        "height": f"{MINUTES_HEIGHT:g}",
        "total": sum(minutes),
        "most": most,
    }
