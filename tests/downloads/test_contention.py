"""Counters at work at once on the same rows: they wait or try again, and the count is exact."""

import random
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import redis

from apps.core.clock import now
from apps.downloads import counter, stream
from apps.downloads.counter import Counter
from apps.downloads.hit import Hit
from tests.downloads.conftest import Aired, Send
from tests.downloads.making import AGENTS, make_hit, whole
from tests.downloads.oracle import Owner, count
from tests.downloads.stored import assert_counted, assert_covered
from tests.factories import EpisodeFactory
from tests.threads import running
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
LISTENERS = 12
COUNTERS = 3
SMALL_FILE = {"size": 1000, "header": 100, "duration_ms": 90_000}


def counting() -> AbstractContextManager[None]:
    """Some counters run, each as a process would."""
    return running(*(Counter(consumer=str(number)).run for number in range(COUNTERS)))


def crowd(episodes: list[Aired], chance: random.Random) -> list[Hit]:
    """The same few listeners again and again, of one show's episodes in three versions each."""
    at = now()
    found = []
    for number in range(LISTENERS):
        for version in range(3):
            for episode in episodes:
                who: dict[str, Any] = {
                    "ip": f"10.0.0.{number // 2}",
                    "agent": AGENTS[number % 2],
                    "rendition": UUID(int=version + 1),
                    "when": at,
                    **SMALL_FILE,
                }
                found += episode.hits(
                    whole(**who), make_hit((0, 500), **who), make_hit(status=302, **who)
                )
    chance.shuffle(found)
    return found


@pytest.mark.parametrize("batch", [1, 2, 10])
def test_counters_on_the_same_rows_count_each_listener_once(
    batch: int, send: Send, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "BATCH_MESSAGES", batch)
    first = EpisodeFactory()
    episodes = [Aired(first), *(Aired(EpisodeFactory(show=first.show)) for _ in range(2))]
    owner = Owner(first.organization_id, first.show_id, ZoneInfo(first.show.time_zone))
    hits = crowd(episodes, random.Random(batch))
    send(*hits)

    with counting():
        wait_until(lambda: client.xlen(stream.name()) == 0, seconds=60)

    expected = count(hits, owners={one.episode.id: owner for one in episodes}, now=now())
    assert_counted(expected)
    assert_covered(expected)
