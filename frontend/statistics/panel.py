"""What a page shows of one chart: its drawing, and the same numbers as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.downloads.chart_tables import Table
from frontend.statistics.plots import Plot

NOTHING = "No downloads in this time."


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
    marks: Sequence["Mark"] = ()


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
