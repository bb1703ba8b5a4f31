"""Where the parts of a chart stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.statistics.plots import AXIS_HEIGHT, PLOT_TOP, Series, Slot, ceiling, draw
from frontend.statistics.words import hours_after


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 4), (3, 4), (5, 6), (7, 8), (9, 10), (10, 10), (11, 20), (41, 50), (999, 1000)],
)
def test_the_scale_ends_with_a_round_number(highest: int, top: int) -> None:
    assert ceiling(highest) == top


@given(st.integers(min_value=0, max_value=10**12))
def test_the_scale_is_never_too_low_nor_much_too_high(highest: int) -> None:
    top = ceiling(highest)
    assert highest <= top <= max(4, 2 * highest)
    assert top % 2 == 0


COUNTS = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=200)


@given(COUNTS, st.integers(min_value=1, max_value=3))
def test_pieces_stand_on_each_other_within_the_plot(counts: list[int], pieces: int) -> None:
    stacked = [Series(f"{number}", "css", counts) for number in range(pieces)]
    plot = draw([Slot("x", ["x"])] * len(counts), stacked=stacked, label="", height=200)
    bottom = 200 - AXIS_HEIGHT
    for bar in plot.bars:
        assert PLOT_TOP - 0.02 <= bar.y <= bottom
        assert bar.y + bar.height <= bottom + 0.02
        assert 0 <= bar.x <= bar.x + bar.width <= 100.01
    assert len(plot.bars) == pieces * sum(1 for count in counts if count)
    assert len(plot.targets) == len(counts)


def test_a_line_ends_where_the_future_begins() -> None:
    plot = draw([Slot("x", ["x"])] * 4, lines=[Series("a", "css", [0, 4, None, None])], label="")
    [stroke] = plot.strokes
    assert stroke.path == "M12.5 100.0L37.5 0.0"
    assert (stroke.end_x, stroke.end_y) == (37.5, 0.0)
    assert not draw([], lines=[Series("a", "css", [None])], label="").strokes


@pytest.mark.parametrize(
    ("count", "every", "ticks"), [(1, 0, 1), (7, 0, 4), (30, 0, 5), (48, 12, 4)]
)
def test_an_axis_has_few_labels_and_the_last_one(count: int, every: int, ticks: int) -> None:
    slots = [Slot(str(number), [""]) for number in range(count)]
    found = draw(slots, label="", tick_every=every).x_ticks
    assert len(found) == ticks
    assert found[-1].label == str(count - 1)


def test_what_is_open_and_what_is_new_is_told() -> None:
    slots = [Slot("a", ["a", "1 download"], episodes=["One"]), Slot("b", ["b"], is_open=True)]
    plot = draw(slots, stacked=[Series("Downloads", "plot__bar", [1, 2])], label="")
    assert plot.targets[0].words == "a\n1 download\nNew: One"
    assert [bar.css for bar in plot.bars] == ["plot__bar", "plot__bar plot__bar--open"]
    assert (plot.has_open, plot.has_marks) == (True, True)


@pytest.mark.parametrize(
    ("hours", "text"),
    [(1, "1 hour"), (6, "6 hours"), (24, "1 day"), (54, "2 days 6 hours"), (720, "30 days")],
)
def test_time_after_publication_is_written_in_words(hours: int, text: str) -> None:
    assert hours_after(hours) == text
