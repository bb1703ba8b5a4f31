"""A figure that stands for itself, without a peer that did the same."""

from dataclasses import dataclass

from bench.goals import Goal


@dataclass(frozen=True, slots=True)
class Figure:
    """`beside` is what to see it beside, in words."""

    name: str
    value: float
    unit: str
    goal: Goal | None = None
    beside: str = ""
    note: str = ""
