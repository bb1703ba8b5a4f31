"""The counter against the oracle: the same numbers in any order, batches, hands and deaths."""

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core import valkey
from apps.downloads import archive, counter, counting, positions, stream
from apps.downloads.closing import close_expired
from apps.downloads.counter import Counter
from apps.downloads.hit import Hit
from apps.downloads.models import LoggedDay
from apps.downloads.open_days import keys_for
from tests.downloads.oracle import Count, count, why_dropped
from tests.downloads.stored import (
    assert_counted,
    assert_covered,
    assert_totals_rebuild,
    assert_unfinished,
)
from tests.downloads.traffic import NOW, OPEN_DAYS, Response, World, make_world, mixed, responses

pytestmark = pytest.mark.usefixtures("clean_valkey")
COUNTERS = 3
# Everything that a transaction does, and what comes after its commit.
DEATHS: list[tuple[Any, str]] = [
    (positions.Cursor, "advance"),
    (archive, "keep"),
    (counting, "unite"),
    (counting, "settle"),
    (counting, "tally"),
    (stream, "done"),
]


class Killed(BaseException):
    """As if the process had ended here."""


class Counters:
    """Several of them at one stream, in the hands of chance."""

    def __init__(self, client: redis.Redis, chance: random.Random) -> None:
        self._client = client
        self._chance = chance
        self._living: dict[int, Counter] = {}
        client.delete(stream.name(), f"{stream.name()}:epoch")

    def send(self, hits: list[Hit]) -> None:
        for hit in hits:
            self._client.xadd(stream.name(), {stream.FIELD: hit.to_json()})

    def act(self) -> None:
        """One of them does something, or dies of it."""
        number = self._chance.randrange(COUNTERS)
        one = self._living.setdefault(number, Counter(consumer=str(number)))
        doing = one.adopt if self._chance.random() < 0.2 else one.step
        if self._chance.random() < 0.25:
            self._die_while(doing)
            self._bury(number)
        else:
            doing()

    def finish(self) -> None:
        """One that lives on does what is left, also by the dead."""
        for number in list(self._living):
            self._bury(number)
        last = Counter(consumer=str(self._chance.randrange(COUNTERS)))
        self._living[0] = last
        last.step()
        while last.step():
            pass
        last.adopt()
        self._bury(0)
        assert self._client.xlen(stream.name()) == 0

    def _die_while(self, doing: Any) -> None:
        where, name = self._chance.choice(DEATHS)
        is_done = self._chance.random() < 0.5
        original = getattr(where, name)

        def die(*args: Any, **kwargs: Any) -> None:
            if is_done:
                original(*args, **kwargs)
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(where, name, die)
            with contextlib.suppress(Killed):
                doing()

    def _bury(self, number: int) -> None:
        self._living.pop(number)._client.close()


@pytest.fixture
def world(db: None, settings: Settings) -> Iterator[World]:
    """The world, at half past twelve, with its days open."""
    settings.ADDRESS_CEILING = 0
    with time_machine.travel(NOW, tick=False):
        keys_for(OPEN_DAYS)
        yield make_world()


def is_dropped(hit: Hit, world: World) -> bool:
    at = datetime.fromtimestamp(hit.at / 1000, UTC)
    return bool(why_dropped(hit, at, NOW)) or hit.episode not in world.owners


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(responses, min_size=6, max_size=18), st.integers(0, 2**32))
def test_the_counter_counts_what_the_oracle_counts(
    world: World, monkeypatch: pytest.MonkeyPatch, asked: list[Response], seed: int
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(counter, "BATCH_MESSAGES", chance.choice([2, 7, 50, 50]))
    hits = mixed(
        (hit for response in asked for hit in response.reports(world)),
        chance,
        is_dropped=lambda hit: is_dropped(hit, world),
    )
    with transaction.atomic():
        counters = Counters(valkey.connection(), chance)
        left = list(hits)
        while left:
            some = chance.randrange(3, 20)
            counters.send(left[:some])
            del left[:some]
            counters.act()
        counters.finish()

        expected = count(hits, owners=world.owners, now=NOW)
        assert_counted(expected)
        assert_covered(expected)
        assert_totals_rebuild()
        close_all_days(expected, world, chance)
        transaction.set_rollback(True)


def close_all_days(expected: Count, world: World, chance: random.Random) -> None:
    """Logs of some shows were read; the days end, and with them what no log confirms."""
    shows = sorted({owner.show for owner in world.owners.values()})
    logged = {(day, show) for day in OPEN_DAYS for show in shows if chance.random() < 0.5}
    LoggedDay.objects.bulk_create(LoggedDay(day=day, show_id=show) for day, show in logged)

    close_expired(now=NOW + timedelta(days=5))

    for who, made in list(expected.downloads.items()):
        if made.is_provisional and (who.day, made.show) in logged:
            del expected.downloads[who]
    assert_counted(expected)
    assert_unfinished(expected)
    assert_totals_rebuild()
