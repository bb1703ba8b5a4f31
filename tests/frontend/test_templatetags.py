"""Words and pictures for templates: numbers as people read them, charts as geometry."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from frontend.statistics import words
from frontend.templatetags import charts, longwave


@pytest.mark.parametrize(
    ("milliseconds", "short", "spoken"),
    [
        (0, "0:00", "0 s"),
        (59_999, "0:59", "1 min"),
        (185_000, "3:05", "3 min"),
        (1_800_000, "30:00", "30 min"),
        (3_599_600, "59:59", "1 h"),
        (3_723_000, "1:02:03", "1 h 2 min"),
        (None, "", ""),
    ],
)
def test_durations_read_as_players_show_and_people_say_them(
    milliseconds: int | None, short: str, spoken: str
) -> None:
    assert longwave.clock(milliseconds) == short
    assert longwave.spoken_duration(milliseconds) == spoken


@pytest.mark.parametrize(
    ("size_bytes", "written"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (29_000_000, "29.0 MB"),
        (655_000_000, "655 MB"),
        (2_147_483_648, "2.1 GB"),
        (7.2e15, "7200 TB"),
        (None, ""),
    ],
)
def test_sizes_are_decimal(size_bytes: float | None, written: str) -> None:
    assert longwave.data_size(size_bytes) == written


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0"), (999, "999"), (1000, "1k"), (12_345, "12.3k"), (999_999, "1M"), (None, "—")],
)
def test_counts_fit_small_places(number: int | None, written: str) -> None:
    assert longwave.compact(number) == written


def test_thousands_are_set_apart() -> None:
    assert longwave.grouped(1_234_567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("name", "letters"), [("Mara Lind", "ML"), ("mara", "m"), ("A b c d", "Ad"), ("", "")]
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    assert longwave.initials(name) == letters


@pytest.mark.parametrize(
    ("tags", "address"),
    [
        ("undo:/studio/trash/1/restore/", "/studio/trash/1/restore/"),
        ("safe undo:/a/", "/a/"),
        ("undo:https://elsewhere.example/", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_message_undoes_only_on_this_site(tags: str | None, address: str) -> None:
    assert longwave.undo_address(SimpleNamespace(extra_tags=tags)) == address


def test_times_are_machine_readable_and_escape_nothing_unsafe() -> None:
    moment = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
    time = html.fromstring(longwave.local_time(moment, "datetime"))
    assert time.get("datetime") == "2026-11-21T09:05:00+00:00"
    assert time.text == "21 Nov 2026, 09:05 UTC"


def test_the_current_page_is_told_from_its_section() -> None:
    template = Template("{% load longwave %}{% current 'studio:home' 'studio:show' %}")

    def rendered(view_name: str) -> str:
        request = SimpleNamespace(resolver_match=SimpleNamespace(view_name=view_name))
        return template.render(Context({"request": request}))

    assert rendered("studio:home") == 'aria-current="page"'
    assert rendered("studio:show") == 'aria-current="true"'
    assert rendered("studio:trash") == ""


@given(st.integers(min_value=0, max_value=10**12))
def test_a_scale_holds_its_highest_value_and_wastes_at_most_half(highest: int) -> None:
    ceiling = charts.nice_ceiling(highest)
    assert ceiling >= highest
    assert ceiling <= max(2.5 * highest, 4)


counts = st.lists(st.integers(min_value=0, max_value=10**9), max_size=90)


@given(counts)
def test_bars_stay_inside_the_plot_and_in_proportion(values: list[int]) -> None:
    chart = charts.bar_chart([(str(i), value) for i, value in enumerate(values)], label="x")
    bars = chart["bars"]
    assert isinstance(bars, list)
    assert [bar.value for bar in bars] == values
    for bar in bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= 100.01
        assert bar.y >= charts.PLOT_TOP - 0.01
        assert abs(bar.y + bar.height - chart["plot_bottom"]) < 0.02
    assert [bar.is_last for bar in bars] == [i == len(values) - 1 for i in range(len(values))]


@pytest.mark.parametrize("points", [[], [("Mon", 3)], [("Mon", 0), ("Tue", 1)]])
def test_bars_say_their_numbers_to_whoever_walks_them_and_in_a_table(
    points: list[tuple[str, int]],
) -> None:
    template = Template('{% load charts %}{% bar_chart points label="Each day" %}')
    figure = html.fromstring(template.render(Context({"points": points})))
    assert figure.xpath("./svg[@role='group']/@aria-label") == ["Each day"]
    assert [target.text_content() for target in drawn(figure, "plot__target")] == [
        f"{name}\n{words.counted(count)}" for name, count in points
    ]
    assert rows_of(figure) == [[name, str(count)] for name, count in points]


def test_the_heading_of_numbers_stands_above_them() -> None:
    template = Template('{% load charts %}{% bar_chart points label="x" provisional=1 %}')
    figure = html.fromstring(template.render(Context({"points": [("Mon", 3)]})))
    headings = [(th.text, th.get("class")) for th in figure.iter("th") if th.get("scope") == "col"]
    assert headings == [("When", None), ("Downloads", "numeric"), ("Status", None)]


def drawn(figure: Any, name: str) -> list[Any]:
    """The shapes of this class, in the order of the drawing."""
    return [shape for shape in figure.iter("rect") if name in shape.get("class").split()]


def rows_of(figure: Any) -> list[list[str]]:
    """The cells of the table that unfolds below a chart."""
    rows = figure.xpath("./details[summary]//tbody/tr")
    return [[cell.text_content() for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("provisional", "statuses", "looks_open"),
    [
        (0, [], [False, False, False]),
        (2, ["final", "provisional", "provisional"], [False, True, True]),
        (3, ["provisional"] * 3, [False, False, False]),  # it would tell nothing apart
    ],
)
def test_bars_say_which_days_are_provisional(
    provisional: int, statuses: list[str], looks_open: list[bool]
) -> None:
    points = [("Mon", 3), ("Tue", 1), ("Wed", 2)]
    template = Template("{% load charts %}{% bar_chart points label='x' provisional=open %}")
    figure = html.fromstring(template.render(Context({"points": points, "open": provisional})))
    assert [cells[2] for cells in rows_of(figure) if len(cells) > 2] == statuses
    bars = drawn(figure, "chart__bar")
    assert ["chart__bar--open" in bar.get("class") for bar in bars] == looks_open
    told = ["Provisional" in target.text_content() for target in drawn(figure, "plot__target")]
    assert sum(told) == provisional


@given(st.lists(st.integers(min_value=0, max_value=10**6), min_size=60, max_size=60))
def test_every_minute_of_the_hour_can_be_walked_to_and_stands_in_the_table(
    minutes: list[int],
) -> None:
    template = Template("{% load charts %}{% minute_bars minutes %}")
    figure = html.fromstring(template.render(Context({"minutes": minutes})))
    targets = [target.text_content() for target in drawn(figure, "plot__target")]
    names = [words.minutes_ago(ago) for ago in range(59, -1, -1)]
    assert targets == [
        f"{name}\n{words.counted(count)}" for name, count in zip(names, minutes, strict=True)
    ]
    assert (names[0], names[-2], names[-1]) == ("59 minutes ago", "1 minute ago", "This minute")
    told = [[name, words.grouped(count)] for name, count in zip(names, minutes, strict=True)]
    assert rows_of(figure) == told[::-1]


def test_names_in_charts_are_escaped() -> None:
    template = Template("{% load charts %}{% bars items %}")
    written = template.render(Context({"items": [("<script>alert(1)</script>", 3)]}))
    assert "<script>" not in written


@pytest.mark.parametrize("values", [[], [5], [0, 0, 0], [1, 5, 3]])
def test_a_sparkline_draws_only_what_is_a_line(values: list[int]) -> None:
    written = Template("{% load charts %}{% sparkline values %}").render(
        Context({"values": values})
    )
    assert ("<path" in written) == (len(values) > 1)
