"""About how many listeners: near the truth, and the same in any order."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.downloads import sketch


def keys(count: int, seed: int = 0) -> list[bytes]:
    return [hashlib.sha256(f"{seed}/{number}".encode()).digest()[:16] for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 10, 100, 1000, 10_000, 50_000])
def test_the_estimate_is_within_four_standard_errors(count: int) -> None:
    found = sketch.count(sketch.add(sketch.empty(), keys(count)))

    assert abs(found - count) <= max(1, 4 * 0.0163 * count)


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=50), st.randoms())
def test_order_repeats_and_batches_change_nothing(some: list[bytes], chance: random.Random) -> None:
    at_once = sketch.add(sketch.empty(), some)
    repeated = [*some, *some]
    chance.shuffle(repeated)
    in_parts = sketch.empty()
    for key in repeated:
        in_parts = sketch.add(in_parts, [key])

    assert in_parts == at_once
    assert len(at_once) == sketch.REGISTERS


@given(*[st.lists(st.binary(min_size=16, max_size=16), max_size=50)] * 2)
def test_united_sketches_are_the_sketch_of_everybody(
    some: list[bytes], others: list[bytes]
) -> None:
    one, other = (sketch.add(sketch.empty(), keys) for keys in (some, others))

    assert sketch.unite(one, other) == sketch.add(one, others)


def test_a_sketch_never_shrinks_when_somebody_comes() -> None:
    before, counts = sketch.empty(), []
    for key in keys(3000):
        before = sketch.add(before, [key])
        counts.append(sketch.count(before))

    assert counts == sorted(counts)
