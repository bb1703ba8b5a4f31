"""Unions of byte intervals, in Python and in PostgreSQL alike."""

from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.downloads.intervals import Interval, clip, size, to_multirange, union

bound = st.integers(0, 60)
interval = st.tuples(bound, bound)
some = st.lists(interval, max_size=12)


def bytes_of(intervals: list[Interval] | tuple[Interval, ...]) -> set[int]:
    return {byte for start, end in intervals for byte in range(start, end)}


@pytest.mark.parametrize(
    ("given_intervals", "expected"),
    [
        ([], ()),
        ([(0, 5)], ((0, 5),)),
        ([(0, 5), (5, 9)], ((0, 9),)),
        ([(5, 9), (0, 5)], ((0, 9),)),
        ([(0, 5), (6, 9)], ((0, 5), (6, 9))),
        ([(0, 9), (2, 3)], ((0, 9),)),
        ([(3, 3), (7, 2)], ()),
    ],
)
def test_touching_intervals_join_and_empty_ones_vanish(
    given_intervals: list[Interval], expected: tuple[Interval, ...]
) -> None:
    assert union(given_intervals) == expected


@given(some)
def test_a_union_holds_the_same_bytes_in_separate_intervals(intervals: list[Interval]) -> None:
    found = union(intervals)

    assert bytes_of(found) == bytes_of(intervals)
    assert size(found) == len(bytes_of(intervals))
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(some, some)
def test_uniting_in_steps_is_uniting_at_once(one: list[Interval], other: list[Interval]) -> None:
    assert union([*union(one), *union(other)]) == union([*other, *one])


@given(st.lists(st.tuples(st.integers(-20, 80), st.integers(-20, 80)), max_size=8), bound)
def test_clipping_keeps_what_lies_in_the_file(intervals: list[Interval], length: int) -> None:
    assert bytes_of(clip(intervals, length)) == bytes_of(intervals) & set(range(length))


@pytest.mark.django_db
def test_postgresql_unites_and_measures_as_python_does() -> None:
    one, other = [(0, 10), (20, 30), (2**40, 2**40 + 5)], [(5, 21), (40, 41)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (%s::int8multirange + %s::int8multirange)::text, "
            "longwave_interval_bytes(%s::int8multirange + %s::int8multirange), "
            "longwave_interval_bytes('{}')",
            [to_multirange(one), to_multirange(other)] * 2,
        )
        assert cursor.fetchone() == (
            to_multirange([*one, *other]),
            size(union([*one, *other])),
            0,
        )
