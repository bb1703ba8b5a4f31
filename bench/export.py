"""The figures as JSON for programs, each round included."""

from typing import Any

from bench.figure import Figure
from bench.goals import Goal
from bench.measuring import Comparison, Sample
from bench.report import Results


def as_json(results: Results) -> dict[str, Any]:
    """Everything."""
    return {
        "surroundings": results.surroundings,
        "comparisons": [_comparison(one) for one in results.comparisons],
        "figures": [_figure(one) for one in results.figures],
        "delays_seconds": results.delays
        and {"to_row": results.delays.to_row, "to_message": results.delays.to_message},
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "name": found.name,
        "unit": found.rate.unit,
        "peer": found.peer,
        "ratio": found.ratio,
        "ratios": found.ratios,
        "longwave": [_sample(sample, found) for sample in found.ours],
        "theirs": [_sample(sample, found) for sample in found.theirs],
        "note": found.note,
        **_goal(found.goal, found.ratio),
    }


def _figure(found: Figure) -> dict[str, Any]:
    return {
        "name": found.name,
        "value": found.value,
        "unit": found.unit,
        "beside": found.beside,
        "note": found.note,
        **_goal(found.goal, found.value),
    }


def _goal(goal: Goal | None, value: float) -> dict[str, Any]:
    if goal is None:
        return {}
    return {"at_least": goal.at_least, "aim": goal.aim, "reached": goal.verdict(value)}


def _sample(sample: Sample, comparison: Comparison) -> dict[str, float]:
    return {
        "rate": comparison.rate.of(sample),
        "requests": sample.outcome.requests,
        "body_bytes": sample.outcome.body_bytes,
        "seconds": sample.outcome.seconds,
        "p50_ms": sample.outcome.p50_ms,
        "p99_ms": sample.outcome.p99_ms,
        "longest_ms": sample.outcome.longest_ms,
        "server_cpu_seconds": sample.server_cpu_seconds,
        "engines_cpu_seconds": sample.beside_cpu_seconds,
        "loader_cpu_seconds": sample.outcome.cpu_seconds,
    }
