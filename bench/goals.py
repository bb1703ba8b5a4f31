"""What the hot paths are expected to do: at least, and if all goes well."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a figure stands to its goal."""

    AIM = "aim"
    ENOUGH = "enough"
    MISSED = "MISSED"


@dataclass(frozen=True, slots=True)
class Goal:
    """Two bounds: ratios must reach them, whatever has a unit must stay below."""

    at_least: float
    aim: float
    unit: str = ""

    def verdict(self, value: float) -> Verdict:
        """Where the value lies."""
        if self._holds(value, self.aim):
            return Verdict.AIM
        return Verdict.ENOUGH if self._holds(value, self.at_least) else Verdict.MISSED

    def _holds(self, value: float, bound: float) -> bool:
        return value < bound if self.unit else value >= bound

    def shown(self, bound: float) -> str:
        """A bound as a cell of a table."""
        return f"< {bound:g} {self.unit}" if self.unit else f"{bound:g}"


WHOLE = Goal(1.0, 1.4)
RANGES = Goal(0.33, 0.60)
RANGES_OVER_NETWORK = Goal(0.50, 0.75)
FIRST_WAY = Goal(40, 70)
GROWTH = Goal(50, 15, "MB")
GROWTH_OF_CROWD = Goal(200, 80, "MB")
GROWTH_ON_DAPHNE = Goal(150, 50, "MB")
WAITING = Goal(40, 5, "ms")
STARVED = Goal(1, 1, "listeners")
PROXIED = Goal(0.8, 0.95)
CHART = Goal(100, 50, "ms")
NAIVE_LIST = Goal(10, 20)
WRITTEN_LIST = Goal(2.5, 1.8, "times")
TWO_PROCESSES = Goal(1.6, 1.9)
COUNTED = Goal(125, 50, "us")  # 8,000 and 20,000 hits a second
COUNTED_AMONG_MANY = Goal(1.5, 1.1, "times")
COUNTER_GROWTH = Goal(30, 5, "MB")
LIVE = Goal(1500, 1000, "ms")
