"""Where everything of a chart over time stands: x in percent of its width, y in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, field

PLOT_TOP = 14.0
AXIS_HEIGHT = 40.0  # dates, and above them the marks of new episodes
GUTTER = 0.24  # of a slot, left empty between two bars
MOST_LABELS = 5
_STEPS = (1, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each slot; None where there is none (yet). ``css`` says how it looks."""

    name: str
    css: str
    values: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Slot:
    """What one place on the axis stands for.

    ``words`` are the lines of its tooltip, which is also what a screen reader says.
    """

    label: str
    words: Sequence[str]
    is_open: bool = False
    episodes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a bar."""

    css: str
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line, as the ``d`` of a path in a box of 100 x 100; its last point beside it."""

    css: str
    path: str
    end_x: float
    end_y: float


@dataclass(frozen=True, slots=True)
class Target:
    """Where a pointer or the keyboard finds a slot."""

    x: float
    width: float
    centre: float
    words: str
    has_episodes: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A written value on an axis."""

    label: str
    position: float
    anchor: str = "middle"


@dataclass(frozen=True)
class Plot:
    """A chart over time as the template draws it."""

    label: str
    height: int
    bars: Sequence[Bar]
    strokes: Sequence[Stroke]
    targets: Sequence[Target]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    legend: Sequence[Series] = field(default=())
    has_open: bool = False
    has_marks: bool = False

    @property
    def plot_height(self) -> float:
        """Of what is between the highest value and the axis."""
        return self.height - PLOT_TOP - AXIS_HEIGHT

    @property
    def plot_bottom(self) -> float:
        """Where the axis is."""
        return self.height - AXIS_HEIGHT

    @property
    def plot_top(self) -> float:
        """Where the highest value is."""
        return PLOT_TOP

    @property
    def mark_y(self) -> float:
        """The line of the marks."""
        return self.plot_bottom + 10

    @property
    def label_y(self) -> float:
        """The line of the labels."""
        return self.height - 6.0


def ceiling(highest: int) -> int:
    """The least round number, and even, that is not below; at least 4."""
    step = 1
    while step * 10 < highest:
        step *= 10
    tops = (factor * step for factor in _STEPS)
    return max(next(top for top in tops if top >= highest and top % 2 == 0), 4)


def draw(
    slots: Sequence[Slot],
    *,
    stacked: Sequence[Series] = (),
    lines: Sequence[Series] = (),
    label: str,
    height: int = 260,
    tick_every: int = 0,
) -> Plot:
    """Bars of pieces on top of each other, with lines above them, on one scale.

    The axis has as many labels as a phone has room for, the last slot's among them; with
    ``tick_every``, one for each so many slots.
    """
    stacks = [sum(one.values[index] or 0 for one in stacked) for index in range(len(slots))]
    top = ceiling(max([*stacks, *(value or 0 for one in lines for value in one.values)], default=0))
    plot_height = height - PLOT_TOP - AXIS_HEIGHT
    return Plot(
        label=label,
        height=height,
        bars=_bars(slots, stacked, top, plot_height),
        strokes=[stroke for one in lines if (stroke := _stroke(one, top))],
        targets=_targets(slots),
        x_ticks=_x_ticks([slot.label for slot in slots], tick_every),
        y_ticks=[
            Tick(_short(top * half // 2), round(PLOT_TOP + plot_height * (1 - half / 2), 2))
            for half in (0, 1, 2)
        ],
        legend=[*stacked, *lines] if len(stacked) + len(lines) > 1 else [],
        has_open=any(slot.is_open for slot in slots),
        has_marks=any(slot.episodes for slot in slots),
    )


def _targets(slots: Sequence[Slot]) -> list[Target]:
    width = 100 / max(len(slots), 1)
    return [
        Target(
            x=round(index * width, 3),
            width=round(width, 3),
            centre=round((index + 0.5) * width, 3),
            words="\n".join((*slot.words, *(f"New: {title}" for title in slot.episodes))),
            has_episodes=bool(slot.episodes),
        )
        for index, slot in enumerate(slots)
    ]


def _bars(
    slots: Sequence[Slot], stacked: Sequence[Series], top: int, plot_height: float
) -> list[Bar]:
    width = 100 / max(len(slots), 1)
    bars = []
    for index, slot in enumerate(slots):
        below = 0
        for one in stacked:
            value = one.values[index] or 0
            if not value:
                continue
            below += value
            bars.append(
                Bar(
                    css=f"{one.css} plot__bar--open" if slot.is_open else one.css,
                    x=round(width * (index + GUTTER / 2), 3),
                    width=round(width * (1 - GUTTER), 3),
                    y=round(PLOT_TOP + plot_height * (1 - below / top), 2),
                    height=round(plot_height * value / top, 2),
                )
            )
    return bars


def _stroke(series: Series, top: int) -> Stroke | None:
    width = 100 / max(len(series.values), 1)
    points = [
        (round((index + 0.5) * width, 2), round(100 - 100 * value / top, 2))
        for index, value in enumerate(series.values)
        if value is not None
    ]
    if not points:
        return None
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    return Stroke(series.css, path, *points[-1])


def _x_ticks(labels: Sequence[str], every: int) -> list[Tick]:
    count = len(labels)
    width = 100 / max(count, 1)
    step = every or max(1, -(-count // MOST_LABELS))
    chosen = range(step - 1, count, step) if every else range(count - 1, -1, -step)
    ticks = []
    for index in sorted(chosen):
        position, anchor = round((index + 0.5) * width, 3), "middle"
        if position < 4 and count > 1:
            position, anchor = 0.0, "start"
        elif position > 96 and count > 1:
            position, anchor = 100.0, "end"
        ticks.append(Tick(labels[index], position, anchor))
    return ticks


def _short(number: int) -> str:
    """As an axis has room for: 950, 12k, 1.5M."""
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + suffix
    return str(number)
