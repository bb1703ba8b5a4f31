"""The figures as tables for people."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from bench.delay import Delays, summary
from bench.figure import Figure
from bench.goals import Goal
from bench.measuring import BUSY_LOADER, Comparison, Sample, median_of

_PACKAGES = ("django", "uvicorn", "uvloop", "httptools", "daphne")
_RESULT = (
    *("what", "Longwave", "peer", "peer's", "ratio", "min-max"),
    *("at least", "aim", "reached"),
)
_COST = (
    *("what", "peer", "CPU us/req", "peer's", "CPU s/GB", "peer's", "engines us/req"),
    *("longest ms", "peer's", "loader CPU"),
)


@dataclass(slots=True)
class Results:
    """Whatever was measured in one run, and around it."""

    comparisons: list[Comparison] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    delays: Delays | None = None
    surroundings: dict[str, str] = field(default_factory=dict)


def surroundings() -> dict[str, str]:
    """What figures can't be compared without."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}",
        "load before": _load(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def _load() -> str:
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def finish(results: Results) -> None:
    """Note what the machine looked like afterwards."""
    results.surroundings["load after"] = _load()


def as_text(results: Results) -> str:
    """Everything, in lines of a terminal."""
    parts = ["  ".join(f"{name} {value}" for name, value in results.surroundings.items())]
    rows = [*map(_compared, results.comparisons), *map(_alone, results.figures)]
    if rows:
        parts.append(table([_RESULT, *rows]))
        parts += [f"{one.name}: {one.note}" for one in results.comparisons if one.note]
        parts += [f"{one.name}: {one.note}" for one in results.figures if one.note]
    if results.comparisons:
        parts += ["", table([_COST, *map(_cost, results.comparisons)])]
        parts += _remarks(results.comparisons)
    if results.delays is not None:
        parts += _delays(results.delays)
    return "\n".join(parts)


def _compared(found: Comparison) -> tuple[str, ...]:
    ratios = found.ratios
    return (
        found.name,
        f"{_number(median_of(found.ours, found.rate.of))} {found.rate.unit}",
        found.peer,
        f"{_number(median_of(found.theirs, found.rate.of))} {found.rate.unit}",
        f"{found.ratio:.2f}",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        *_judged(found.goal, found.ratio),
    )


def _alone(found: Figure) -> tuple[str, ...]:
    ours = f"{_number(found.value)} {found.unit}"
    return (found.name, ours, found.beside, "", "", "", *_judged(found.goal, found.value))


def _judged(goal: Goal | None, value: float) -> tuple[str, str, str]:
    if goal is None:
        return "", "", ""
    return goal.shown(goal.at_least), goal.shown(goal.aim), goal.verdict(value)


def _cost(found: Comparison) -> tuple[str, ...]:
    return (
        found.name,
        found.peer,
        _number(median_of(found.ours, _cpu_us)),
        _number(median_of(found.theirs, _cpu_us)),
        _cpu_per_gigabyte(found.ours),
        _cpu_per_gigabyte(found.theirs),
        _number(median_of(found.ours, _beside_us)),
        _number(max(map(_longest, found.ours))),
        _number(max(map(_longest, found.theirs))),
        " / ".join(
            f"{median_of(side, _loader):.0%}{'*' if is_loader_busy(side) else ''}"
            for side in (found.ours, found.theirs)
        ),
    )


def is_loader_busy(samples: Sequence[Sample]) -> bool:
    """Whether the generator may have been what was measured."""
    return median_of(samples, _loader) >= BUSY_LOADER


def _remarks(comparisons: Sequence[Comparison]) -> list[str]:
    lines = ["CPU is that of the answering server, of a whole CPU's time."]
    if any(is_loader_busy(side) for one in comparisons for side in (one.ours, one.theirs)):
        lines.append("* The load generator was at its own limit: the server may do more.")
    return lines


def _loader(sample: Sample) -> float:
    return sample.loader_share


def _longest(sample: Sample) -> float:
    return sample.outcome.longest_ms


def _cpu_us(sample: Sample) -> float:
    return sample.server_cpu_seconds / max(1, sample.outcome.requests) * 1e6


def _cpu_per_gigabyte(samples: Sequence[Sample]) -> str:
    """Nothing for answers without bodies."""
    if not all(sample.outcome.body_bytes for sample in samples):
        return ""
    seconds = median_of(samples, lambda one: one.server_cpu_seconds / one.outcome.body_bytes * 1e9)
    return f"{seconds:.2f}"


def _beside_us(sample: Sample) -> float:
    return sample.beside_cpu_seconds / max(1, sample.outcome.requests) * 1e6


def _delays(found: Delays) -> list[str]:
    lines = []
    for name, seconds in (("its row", found.to_row), ("the open board", found.to_message)):
        median, most = summary(seconds)
        lines.append(
            f"from the end of a response to {name}: median {median:,.0f} ms, "
            f"most {most:,.0f} ms ({len(seconds)} tries)"
        )
    return lines


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; names and words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(_aligned, row[1:], widths[1:])]).rstrip()
        for row in rows
    )


def _aligned(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
