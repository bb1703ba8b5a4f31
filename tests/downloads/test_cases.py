"""The cases of "how a download is counted", through the pure rules and through the engines."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import partial
from uuid import UUID

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.downloads.agents import classify
from apps.downloads.batch import Message, Owner, Surroundings, gather
from apps.downloads.hit import Hit
from apps.downloads.intervals import size, union
from apps.downloads.models import Download
from apps.downloads.window import epoch_ms, open_day
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import CASES, EPISODE, NOON, ORGANIZATION, SHOW, make_hit

_NOW = datetime(2026, 10, 14, 16, tzinfo=UTC)
AROUND = Surroundings(
    now=_NOW,
    day_of=partial(open_day, now_ms=epoch_ms(_NOW)),
    owners={EPISODE.int: Owner(show=SHOW, organization=ORGANIZATION)},
    day_keys={date(2026, 10, day): bytes([day]) * 32 for day in (12, 13, 14)},
    data_centres=(),
    classify=classify,
)

by_name = pytest.mark.parametrize(("hits", "expected"), CASES.values(), ids=CASES.keys())


def downloads(hits: Iterable[Hit]) -> set[tuple[UUID, date, bytes]]:
    """What a perfect counter would count, without any engine."""
    batch = gather((Message(hit.to_json(), hit, 0) for hit in hits), AROUND)
    return {
        piece.key[:3]
        for piece in batch.pieces.values()
        if size(union(piece.sent)) >= piece.threshold_bytes
    }


@by_name
def test_the_rules_alone_count_each_case(hits: list[Hit], expected: int) -> None:
    assert len(downloads(hits)) == expected


@by_name
def test_the_engines_count_each_case(
    hits: list[Hit], expected: int, aired: Aired, send: Send, count: Count
) -> None:
    with time_machine.travel(NOON.replace(hour=16), tick=False):
        send(*aired.hits(*hits))
        announced = count()

    assert len(announced) == expected
    assert Download.objects.count() == expected


@by_name
def test_one_message_at_a_time_in_any_order_counts_the_same(
    hits: list[Hit],
    expected: int,
    aired: Aired,
    send: Send,
    count: Callable[[], list[object]],
) -> None:
    with time_machine.travel(NOON.replace(hour=16), tick=False):
        for hit in reversed(aired.hits(*hits)):
            send(hit)
            count()

    assert Download.objects.count() == expected


bounds = st.integers(0, 40).map(lambda step: step * 50_000)
intervals = st.tuples(bounds, bounds).map(lambda pair: (min(pair), max(pair)))
random_hits = st.builds(
    lambda sent, address, agent: make_hit(*sent, ip=f"198.51.100.{address}", agent=agent),
    st.lists(intervals, max_size=4),
    st.integers(1, 3),
    st.sampled_from(["Overcast/3.0", "Castro 2020", "curl/8.0"]),
)


@settings(deadline=None)
@given(st.lists(random_hits, max_size=12), st.randoms())
def test_order_and_duplicates_change_nothing(hits: list[Hit], chance: random.Random) -> None:
    repeated = [*hits, *chance.choices(hits, k=len(hits))] if hits else []
    chance.shuffle(repeated)

    assert downloads(repeated) == downloads(hits)


@settings(deadline=None)
@given(st.lists(random_hits, max_size=8))
def test_partial_reports_of_a_response_change_nothing(hits: list[Hit]) -> None:
    in_parts = [
        make_hit(part, ip=hit.ip, agent=hit.agent, id=hit.id, final=False)
        for hit in hits
        for part in hit.sent
    ]

    assert downloads([*in_parts, *hits]) == downloads(hits)
    assert downloads(in_parts) == downloads(hits)
