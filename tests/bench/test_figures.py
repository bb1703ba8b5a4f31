"""What the rounds add up to, and how that is shown."""

import json

import pytest

from bench.count import Throughput
from bench.delay import Delays, summary
from bench.load.job import Outcome
from bench.measuring import Comparison, Sample
from bench.report import Results, as_json, as_text, is_loader_busy, table


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
        "req/s",
        "a peer",
        tuple(map(sample, ours)),
        tuple(map(sample, theirs)),
        lambda one: one.requests_per_second,
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
    lines = table([("what", "ratio"), ("ranges", "12.50"), ("a", "0.19")]).splitlines()
    assert lines == ["what    ratio", "ranges  12.50", "a        0.19"]


def test_a_comparison_is_told_with_its_peer_and_its_spread() -> None:
    text = as_text(Results(comparisons=[comparison([100, 200, 300], [100, 100, 100])]))
    row = next(line for line in text.splitlines() if line.startswith("ranges"))
    expected = "ranges req/s 100 a peer 50.0 2.00 1.00-3.00 5,000 10,000 2,500 7.0 7.0 20% / 20%"
    assert " ".join(row.split()) == expected


def test_delays_are_a_median_and_a_maximum_in_milliseconds() -> None:
    assert summary((0.1, 0.3, 0.2)) == (200.0, 300.0)


def test_the_counter_is_judged_by_its_median_round() -> None:
    assert Throughput(20_000, 5_000, (1.0, 2.0, 4.0)).hits_per_second == 10_000


def test_json_holds_every_round() -> None:
    results = Results(
        comparisons=[comparison([100, 200, 300], [100, 100, 100])],
        throughput=Throughput(20, 5, (1.0,)),
        delays=Delays((0.1,), (0.2,)),
    )
    found = json.loads(json.dumps(as_json(results)))
    assert [one["rate"] for one in found["comparisons"][0]["longwave"]] == [50, 100, 150]
    assert found["comparisons"][0]["ratios"] == [1, 2, 3]
    assert found["counter"]["hits_per_second"] == 20
    assert found["delays_seconds"] == {"to_row": [0.1], "to_message": [0.2]}
