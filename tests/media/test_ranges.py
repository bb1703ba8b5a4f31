"""Range headers: what is asked for, what is answered, and what can never be asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.media.ranges import (
    MAX_RANGES,
    NoRange,
    Range,
    RangeSpec,
    coalesce,
    parse_range,
    resolve,
    select_ranges,
)

SIZE = 1000
IGNORED, UNSATISFIABLE = NoRange.IGNORED, NoRange.UNSATISFIABLE


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        # One range, every form
        ("bytes=0-0", [(0, 0)]),
        ("bytes=0-1", [(0, 1)]),
        ("bytes=0-499", [(0, 499)]),
        ("bytes=500-", [(500, 999)]),
        ("bytes=0-", [(0, 999)]),
        ("bytes=-1", [(999, 999)]),
        ("bytes=-500", [(500, 999)]),
        ("bytes=999-", [(999, 999)]),
        ("bytes=999-999", [(999, 999)]),
        ("bytes=00000-0004", [(0, 4)]),
        # Ends beyond the file are cut off
        ("bytes=0-99999", [(0, 999)]),
        ("bytes=990-1000", [(990, 999)]),
        ("bytes=-1000", [(0, 999)]),
        ("bytes=-5000", [(0, 999)]),
        ("bytes=0-" + "9" * 5000, [(0, 999)]),
        ("bytes=-" + "9" * 5000, [(0, 999)]),
        ("bytes=" + "0" * 5000 + "-4", [(0, 4)]),
        # The unit is compared in any case; other units are ignored, never an error
        ("BYTES=0-4", [(0, 4)]),
        ("Bytes=0-4", [(0, 4)]),
        ("seconds=0-4", IGNORED),
        ("items=0-4", IGNORED),
        ("none", IGNORED),
        # White space and empty elements of a list
        (" bytes=0-4 ", [(0, 4)]),
        ("bytes=0-4, 10-14", [(0, 4), (10, 14)]),
        ("bytes=0-4 ,\t10-14", [(0, 4), (10, 14)]),
        ("bytes=,0-4,,10-14,", [(0, 4), (10, 14)]),
        ("bytes= 0-4", IGNORED),
        ("bytes =0-4", IGNORED),
        ("bytes=0 -4", IGNORED),
        ("bytes=0- 4", IGNORED),
        ("bytes=0-4\u00a0", IGNORED),
        ("bytes=0-4\n", IGNORED),
        # Malformed
        ("", IGNORED),
        ("bytes", IGNORED),
        ("bytes=", IGNORED),
        ("bytes=,", IGNORED),
        ("bytes=-", IGNORED),
        ("bytes=--1", IGNORED),
        ("bytes=0--1", IGNORED),
        ("bytes=0-1-2", IGNORED),
        ("bytes=a-b", IGNORED),
        ("bytes=0x0-0x4", IGNORED),
        ("bytes=0", IGNORED),
        ("bytes:0-4", IGNORED),
        ("bytes=0-4;q=1", IGNORED),
        ("bytes=0-4,bytes=10-14", IGNORED),  # two Range headers, joined by the server
        ("bytes=+0-4", IGNORED),
        ("bytes=0-+4", IGNORED),
        ("bytes=1_0-2_0", IGNORED),
        ("bytes=1.0-2", IGNORED),
        ("bytes=\u0660-\u0664", IGNORED),
        ("bytes=\uff10-\uff14", IGNORED),
        ("bytes=\u00b2-4", IGNORED),
        ("bytes=4-0", IGNORED),
        ("bytes=0-4,14-10", IGNORED),
        ("bytes=0-4,x", IGNORED),
        ("bytes=5000-4000", IGNORED),
        # Nothing of the file
        ("bytes=1000-", UNSATISFIABLE),
        ("bytes=1000-1004", UNSATISFIABLE),
        ("bytes=-0", UNSATISFIABLE),
        ("bytes=" + "9" * 5000 + "-", UNSATISFIABLE),
        ("bytes=1000-,-0", UNSATISFIABLE),
        # One satisfiable range is enough
        ("bytes=5000-,0-4", [(0, 4)]),
        ("bytes=-0,0-4", [(0, 4)]),
        # Joined where they overlap or touch, at the place of the first that asked
        ("bytes=0-4,5-9", [(0, 9)]),
        ("bytes=0-4,6-9", [(0, 4), (6, 9)]),
        ("bytes=5-9,0-4", [(0, 9)]),
        ("bytes=500-599,0-99", [(500, 599), (0, 99)]),
        ("bytes=900-,0-9,-50,5-20", [(900, 999), (0, 20)]),
        ("bytes=5-9,100-109,0-6", [(0, 9), (100, 109)]),
        ("bytes=0-,0-0", [(0, 999)]),
        # Demands out of all proportion
        ("bytes=" + ",".join(["0-"] * 500), [(0, 999)]),
        ("bytes=" + ",".join(["0-", "-1000"] * 200), [(0, 999)]),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 900, 2)), IGNORED),
    ],
)
def test_a_range_header_selects(header: str, answer: NoRange | list[tuple[int, int]]) -> None:
    selected = select_ranges(header, SIZE)
    expected = answer if isinstance(answer, NoRange) else tuple(Range(*pair) for pair in answer)
    assert selected == expected


def test_no_range_header_selects_the_whole() -> None:
    assert select_ranges(None, SIZE) is IGNORED


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0", "bytes=5-9"])
def test_an_empty_file_satisfies_no_range(header: str) -> None:
    assert select_ranges(header, 0) is UNSATISFIABLE


def test_as_many_stretches_as_allowed_are_answered_and_one_more_is_not() -> None:
    stretches = [f"{n}-{n}" for n in range(0, 4 * MAX_RANGES, 4)]
    allowed = select_ranges("bytes=" + ",".join(stretches), SIZE)
    assert not isinstance(allowed, NoRange)
    assert len(allowed) == MAX_RANGES
    assert select_ranges("bytes=" + ",".join([*stretches, "998-999"]), SIZE) is IGNORED


def test_offsets_beyond_four_gigabytes_are_exact() -> None:
    size = 2**33
    assert select_ranges(f"bytes={2**32}-{2**32 + 9}", size) == (Range(2**32, 2**32 + 9),)


specs = st.one_of(
    st.builds(RangeSpec, st.none(), st.integers(0, 300)),
    st.builds(RangeSpec, st.integers(0, 300), st.none()),
    st.builds(
        lambda first, extra: RangeSpec(first, first + extra),
        st.integers(0, 300),
        st.integers(0, 300),
    ),
)
spec_lists = st.lists(specs, min_size=1, max_size=40)
sizes = st.integers(0, 250)


def written(spec: RangeSpec) -> str:
    """The range as a client would write it."""
    return "-".join("" if end is None else str(end) for end in (spec.first, spec.last))


def asked_bytes(spec: RangeSpec, size: int) -> set[int]:
    """The offsets a range names, straight from the words of section 14.1.2."""
    if spec.first is None:
        return set(range(max(0, size - (spec.last or 0)), size))
    return set(range(spec.first, size if spec.last is None else min(size, spec.last + 1)))


def offsets(ranges: tuple[Range, ...]) -> set[int]:
    return {offset for one in ranges for offset in range(one.first, one.stop)}


@given(spec_lists)
def test_what_is_written_is_parsed_back(asked: list[RangeSpec]) -> None:
    assert parse_range("bytes=" + ",".join(map(written, asked))) == tuple(asked)


@given(spec_lists, sizes)
def test_resolved_ranges_are_the_asked_bytes_that_exist(asked: list[RangeSpec], size: int) -> None:
    expected = set().union(*(asked_bytes(spec, size) for spec in asked))
    assert offsets(resolve(asked, size)) == expected


@given(spec_lists, sizes)
def test_joining_keeps_every_byte_and_sends_none_twice(asked: list[RangeSpec], size: int) -> None:
    resolved = resolve(asked, size)
    joined = coalesce(resolved)
    assert offsets(joined) == offsets(resolved)
    assert sum(one.length for one in joined) == len(offsets(resolved)) <= size
    assert coalesce(joined) == joined


short_ranges = st.builds(
    lambda first, extra: Range(first, first + extra), st.integers(0, 60), st.integers(0, 8)
)


@given(st.lists(short_ranges, max_size=8))
def test_joined_ranges_keep_the_order_of_the_request(asked: list[Range]) -> None:
    first_asked = [
        next(place for place, r in enumerate(asked) if one.first <= r.first <= one.last)
        for one in coalesce(asked)
    ]
    assert first_asked == sorted(first_asked)


@given(st.one_of(st.text(), st.text("bytes=-, \t0123456789").map("bytes=".__add__)), sizes)
def test_no_header_raises_or_selects_outside_the_file(header: str, size: int) -> None:
    selected = select_ranges(header, size)
    if not isinstance(selected, NoRange):
        assert 1 <= len(selected) <= MAX_RANGES
        assert all(0 <= one.first <= one.last < size for one in selected)


@given(st.integers(0, 2000), st.none() | st.integers(0, 2000), st.integers(0, 1500))
def test_the_short_way_of_one_plain_range_answers_as_the_long_one(
    first: int, last: int | None, size: int
) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    as_list = f"{header},"  # an empty element changes nothing, but is not plain
    assert select_ranges(header, size) == select_ranges(as_list, size)
