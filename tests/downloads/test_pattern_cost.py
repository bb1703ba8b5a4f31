"""Which patterns are refused because a stranger could make them slow."""

import re
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.downloads.user_agents import cost
from apps.downloads.user_agents.cost import (
    CostlyPatternError,
    check_cost,
    is_anchored,
    most_steps,
)
from apps.downloads.user_agents.matching import compile_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a?b?)*c",
        "([a-z]+ )*x",
        r"^(\d+\.)*x",
        "((a{2}){3}){4}",
        r"(a)\1",
        "a*a*a*a*b",
        "x.*y.*z.*w",
        r"\w+\s*\w+\s*\w+\s*$",
        "a{1,200}a{1,200}a{1,200}b",
        "(a|aa)" * 20 + "b",
        "(b?|a?)" * 20 + "c",
        "a?" * 25 + "a" * 25,
        "(?=(.*).*.*.*x)y",
    ],
)
def test_a_pattern_that_can_explode_is_refused(pattern: str) -> None:
    with pytest.raises(CostlyPatternError):
        check_cost(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^Overcast/",
        "Googlebot|bingbot",
        ".*PodThing$",
        "Android.*[Tt]ablet|[Tt]ablet.*Android",
        r"^Player/[\d.]+ \(Linux;Android [\d.]+\) Media/\d+\.\d+\.\d+$",
        r"(Macintosh|Windows|iPhone|X11).*AppleWebKit.*Safari/",
        r"://([^./]+\.)?player\.example/",
        "^Lavf(?!.*WMPlayer)",
        "(?i)(podcast|feed)[-_ ]?(parser|fetcher)",
    ],
)
def test_patterns_as_people_write_them_are_accepted(pattern: str) -> None:
    check_cost(pattern)


def test_a_loop_that_cannot_go_over_what_follows_costs_one_way_only() -> None:
    assert most_steps(r"^a\d+\.\d+\.\d+x") < most_steps(r"^a\d+\d+\d+x") / 1000


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^a", True),
        ("^a|^b", True),
        ("(^a|^b)c", True),
        (r"\Aa", True),
        ("^a|b", False),
        ("a", False),
        ("(?m)^a", False),
        ("a$", False),
        (r"\ba", False),
        ("(^a)?b", False),
        ("", False),
    ],
)
def test_what_is_tried_at_the_beginning_only(pattern: str, expected: bool) -> None:
    assert is_anchored(pattern) is expected


PIECES = st.sampled_from(["a", "b", ".", "a*", ".*", "[ab]+", "^", "$", "|", "(a|b)", "(^a|ab)?"])
TEXTS = st.text(alphabet="ab/\n", max_size=20)


@given(pieces=st.lists(PIECES, min_size=1, max_size=6), text=TEXTS)
def test_a_compiled_pattern_finds_what_a_plain_search_finds(pieces: list[str], text: str) -> None:
    pattern = "".join(pieces)
    try:
        matches = compile_pattern(pattern)
    except CostlyPatternError:
        return

    assert bool(matches(text)) == bool(re.search(pattern, text))


STEPS_PIECES = st.sampled_from(["a", "b", ".", "a*", ".*", "[ab]+", "b*", "(a|b)", "a?", "$"])


def steps_of(pattern: str, text: str) -> int:
    """How many characters a plain backtracking engine tries, without any shortcut."""
    pieces = re.findall(r"(\[ab\]|\(a\|b\)|[ab.])([*+?]?)|(\$)", pattern)
    taken = 0

    def follows(index: int, at: int) -> bool:
        nonlocal taken
        if index == len(pieces):
            return True
        what, repeat, end = pieces[index]
        taken += 1
        if end:
            return at == len(text) and follows(index + 1, at)
        stop = at
        most = len(text) if repeat in {"*", "+"} else at + 1
        while stop < min(most, len(text)) and (what not in {"a", "b"} or text[stop] == what):
            stop += 1
            taken += 1
        least = at if repeat in {"*", "?"} else at + 1
        return any(follows(index + 1, here) for here in range(stop, least - 1, -1))

    any(follows(0, start) for start in range(len(text) + 1))
    return taken


@given(
    pieces=st.lists(STEPS_PIECES, min_size=1, max_size=4),
    unit=st.sampled_from(["a", "b", "ab", "aab"]),
    tail=st.sampled_from(["", "/", "b", "a"]),
)
def test_the_estimate_holds_for_a_plain_engine(pieces: list[str], unit: str, tail: str) -> None:
    length = 48
    text = (unit * length)[: length - len(tail)] + tail
    pattern = "".join(pieces)

    with patch.object(cost, "MAX_LENGTH", length):
        estimate = most_steps(pattern)
    assert steps_of(pattern, text) <= 3 * estimate  # the engine's steps are a little smaller
