"""What the rounds add up to, and how that is shown."""

import json
from dataclasses import replace

import pytest

from bench.delay import Delays, summary
from bench.export import as_json
from bench.figure import Figure
from bench.goals import Goal
from bench.load.job import Outcome
from bench.measuring import REQUESTS, Comparison, Sample
from bench.report import Results, as_text, is_loader_busy, table


def sample(requests: int, *, loader: float = 0.2) -> Sample:
    """Two seconds in which so many answers of a megabyte came."""
    outcome = Outcome(
        seconds=2.0,
        requests=requests,
        body_bytes=requests * 1_000_000,
        cpu_seconds=2 * loader,
        p50_ms=1.0,
        p99_ms=2.0,
        longest_ms=7.0,
    )
    return Sample(outcome, server_cpu_seconds=1.0, beside_cpu_seconds=0.5)


def comparison(ours: list[int], theirs: list[int]) -> Comparison:
    return Comparison(
        "ranges",
        REQUESTS,
        "a peer",
        tuple(map(sample, ours)),
        tuple(map(sample, theirs)),
    )


def test_rates_are_per_second() -> None:
    assert sample(300).requests_per_second == 150
    assert sample(300).megabytes_per_second == 150


def test_the_ratio_is_the_median_of_the_pairs_not_of_the_sides() -> None:
    found = comparison(ours=[100, 400, 90], theirs=[100, 100, 300])
    assert found.ratios == pytest.approx([1.0, 4.0, 0.3])
    assert found.ratio == 1.0


def test_a_busy_load_generator_is_noticed() -> None:
    assert is_loader_busy([sample(1, loader=0.95)])
    assert not is_loader_busy([sample(1, loader=0.5)])


def test_columns_are_aligned() -> None:
    lines = table([("what", "ratio"), ("1,000 slow", "12.50"), ("a", "0.19")]).splitlines()
    assert lines == ["what        ratio", "1,000 slow  12.50", "a            0.19"]


def test_a_comparison_is_told_with_its_peer_and_its_spread() -> None:
    text = as_text(Results(comparisons=[comparison([100, 200, 300], [100, 100, 100])]))
    row = next(line for line in text.splitlines() if line.startswith("ranges"))
    assert " ".join(row.split()) == "ranges 100 req/s a peer 50.0 req/s 2.00 1.00-3.00"


def test_a_comparison_is_told_with_what_it_cost() -> None:
    text = as_text(Results(comparisons=[comparison([100, 200, 300], [100, 100, 100])]))
    row = [line for line in text.splitlines() if line.startswith("ranges")][1]
    expected = "ranges a peer 5,000 10,000 5.00 10.00 2,500 7.0 7.0 20% / 20%"
    assert " ".join(row.split()) == expected


@pytest.mark.parametrize(
    ("goal", "value", "expected"),
    [
        (Goal(0.33, 0.6), 0.6, "0.33 0.6 aim"),
        (Goal(0.33, 0.6), 0.59, "0.33 0.6 enough"),
        (Goal(0.33, 0.6), 0.32, "0.33 0.6 MISSED"),
        (Goal(50, 15, "MB"), 14.9, "< 50 MB < 15 MB aim"),
        (Goal(50, 15, "MB"), 15, "< 50 MB < 15 MB enough"),
        (Goal(50, 15, "MB"), 50, "< 50 MB < 15 MB MISSED"),
    ],
)
def test_a_figure_is_judged_by_its_goal(goal: Goal, value: float, expected: str) -> None:
    figure = Figure("memory", value, "units", goal, beside="nothing", note="as it is")
    lines = as_text(Results(figures=[figure])).splitlines()
    row = next(line for line in lines if line.startswith("memory"))
    assert " ".join(row.split()) == f"memory {value:.1f} units nothing {expected}"
    assert "memory: as it is" in lines


def test_a_ratio_is_judged_as_well() -> None:
    found = replace(comparison([200], [100]), goal=Goal(1.0, 3.0))
    row = next(
        line for line in as_text(Results(comparisons=[found])).splitlines() if "2.00" in line
    )
    assert row.split()[-3:] == ["1", "3", "enough"]
    [told] = as_json(Results(comparisons=[found]))["comparisons"]
    assert (told["at_least"], told["aim"], told["reached"]) == (1.0, 3.0, "enough")


def test_delays_are_a_median_and_a_maximum_in_milliseconds() -> None:
    assert summary((0.1, 0.3, 0.2)) == (200.0, 300.0)


def test_json_holds_every_round() -> None:
    results = Results(
        comparisons=[comparison([100, 200, 300], [100, 100, 100])],
        delays=Delays((0.1,), (0.2,)),
    )
    found = json.loads(json.dumps(as_json(results)))
    assert [one["rate"] for one in found["comparisons"][0]["longwave"]] == [50, 100, 150]
    assert found["comparisons"][0]["ratios"] == [1, 2, 3]
    assert found["delays_seconds"] == {"to_row": [0.1], "to_message": [0.2]}
