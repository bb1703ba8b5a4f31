"""In what steps a response tells what arrived: no kill takes a download that was finished."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.downloads.intervals import Interval, size, union
from apps.downloads.telling import steps_of
from apps.downloads.threshold import threshold_bytes
from apps.media.serving import NO_STEPS, Steps
from apps.media.serving.sent import Sent


@pytest.mark.parametrize(
    ("size_bytes", "duration_ms", "steps"),
    [
        (30_000, 30 * 60_000, Steps(7_250, 1_000)),  # a quarter of what is beyond the threshold
        (5_000, 5 * 60_000, Steps(1_000, 1_000)),  # from here on less than the threshold
        (3_000, 3 * 60_000, Steps(1_000, 1_000)),
        (1_500, 90_000, Steps(500, 1_000)),
        (1_125, 67_500, Steps(125, 1_000)),
        (1_100, 66_000, NO_STEPS),
        (1_000, 60_000, NO_STEPS),
        (500, 30_000, NO_STEPS),
        (30_000, 0, NO_STEPS),
    ],
)
def test_steps_are_as_long_as_one_kill_allows(
    size_bytes: int, duration_ms: int, steps: Steps
) -> None:
    assert steps_of(size_bytes=size_bytes, header_bytes=0, duration_ms=duration_ms) == steps


@given(
    size_bytes=st.integers(1, 3_000),
    header_share=st.floats(0, 0.9),
    duration_ms=st.integers(67_500, 600_000),
    data=st.data(),
)
def test_a_download_that_was_finished_reaches_its_threshold_whatever_kills_took(
    size_bytes: int, header_share: float, duration_ms: int, data: st.DataObject
) -> None:
    measured = {"header_bytes": int(size_bytes * header_share), "duration_ms": duration_ms}
    threshold = threshold_bytes(size_bytes=size_bytes, **measured)
    steps = steps_of(size_bytes=size_bytes, **measured)
    # One where there are no steps would be one too many.
    kills = 0 if steps is NO_STEPS else min(9, (size_bytes - threshold) // steps.size_bytes)

    told: list[Interval] = []
    begin = 0
    for _ in range(kills):
        begin = _send_until_killed(begin, size_bytes, steps, told, data)
    told.append((begin, size_bytes))  # the response that nothing cuts off

    assert size(union(told)) >= threshold


def _send_until_killed(
    begin: int, size_bytes: int, steps: Steps, told: list[Interval], data: st.DataObject
) -> int:
    """Where the listener goes on: after all that left, which is the worst for the record."""
    sent = Sent(lambda intervals, is_final: told.extend(intervals), steps)
    sent.go_to(begin)
    killed_at = data.draw(st.integers(begin, size_bytes - 1))
    at = begin
    while at < killed_at:
        if sent.room <= 0:
            sent.tell_arrived(data.draw(st.integers(0, min(sent.most_under_way, at - begin))))
        count = min(data.draw(st.integers(1, size_bytes)), sent.room, killed_at - at)
        assert count > 0
        sent.advance(count)
        at += count
    return at


def test_when_the_threshold_is_told_there_is_room_for_everything() -> None:
    told: list[tuple[list[Interval], bool]] = []
    sent = Sent(lambda intervals, is_final: told.append((intervals, is_final)), Steps(100, 150))
    rooms = []
    for under_way in (30, 10):
        sent.advance(sent.room)
        sent.tell_arrived(under_way)
        rooms.append(sent.room)

    assert told == [([(0, 70)], False), ([(0, 160)], False)]
    assert rooms == [70, sys.maxsize]


def test_what_nobody_hears_of_needs_no_room() -> None:
    assert Sent(None, Steps(10, 10)).room == sys.maxsize
