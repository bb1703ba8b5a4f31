"""About how many listeners: near the truth, and the same in any order."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.downloads import sketch


def keys(count: int, seed: int = 0) -> list[bytes]:
    return [hashlib.sha256(f"{seed}/{number}".encode()).digest()[:16] for number in range(count)]


def add(to: bytes, some: list[bytes]) -> bytes:
    return sketch.add(to, sketch.marks(some))


@pytest.mark.parametrize("count", [0, 1, 2, 10, 100, 1000, 10_000, 50_000])
def test_the_estimate_is_within_four_standard_errors(count: int) -> None:
    found = sketch.count(add(sketch.empty(), keys(count)))

    assert abs(found - count) <= max(1, 4 * 0.0163 * count)


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=50), st.randoms())
def test_order_repeats_and_batches_change_nothing(some: list[bytes], chance: random.Random) -> None:
    at_once = add(sketch.empty(), some)
    repeated = [*some, *some]
    chance.shuffle(repeated)
    in_parts = sketch.empty()
    for key in repeated:
        in_parts = add(in_parts, [key])

    assert in_parts == at_once
    assert len(at_once) == sketch.REGISTERS


@given(st.lists(st.binary(min_size=8, max_size=16), max_size=50))
def test_marks_may_be_joined_and_say_no_more_than_the_sketch_holds(some: list[bytes]) -> None:
    marks = b"".join(sketch.marks([key]) for key in some)
    assert marks == sketch.marks(some)

    held = add(sketch.empty(), some)
    left = {number for number, rank in enumerate(held) if rank}
    assert {int.from_bytes(marks[at : at + 2]) for at in range(0, len(marks), 3)} == left
    assert all(0 < rank <= 53 for rank in marks[2::3])


@pytest.mark.parametrize(
    ("key", "mark"),
    [
        (bytes(8), (0, 53)),
        (b"\xff" * 8, (4095, 1)),
        (bytes.fromhex("0010000000000001"), (1, 52)),
        (bytes.fromhex("abc8000000000000ffff"), (0xABC, 1)),
        (bytes.fromhex("abc4000000000000"), (0xABC, 2)),
    ],
)
def test_a_mark_is_a_register_and_the_place_of_the_first_one_in_the_rest(
    key: bytes, mark: tuple[int, int]
) -> None:
    register, rank = mark
    assert sketch.marks([key]) == register.to_bytes(2) + rank.to_bytes(1)


@given(*[st.lists(st.binary(min_size=16, max_size=16), max_size=50)] * 2)
def test_united_sketches_are_the_sketch_of_everybody(
    some: list[bytes], others: list[bytes]
) -> None:
    one, other = (add(sketch.empty(), keys) for keys in (some, others))

    assert sketch.unite(one, other) == add(one, others)


def test_a_sketch_never_shrinks_when_somebody_comes() -> None:
    before, counts = sketch.empty(), []
    for key in keys(3000):
        before = add(before, [key])
        counts.append(sketch.count(before))

    assert counts == sorted(counts)
