"""One viral show before a real counter and publisher: what another show waits for at most."""

import time
from collections.abc import Mapping
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from apps.core import valkey
from apps.core.clock import now
from apps.core.ids import new_id
from apps.downloads import stream
from apps.downloads.counter import Counter
from apps.downloads.hit import Hit
from apps.downloads.summary import BatchSummary
from apps.live.groups import Board
from apps.live.publish import Publisher
from podcasts.models import Episode
from tests.downloads.making import placed, whole
from tests.factories import EpisodeFactory
from tests.live.making import watch
from tests.threads import running
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_valkey")]

BURST = 20_000
AHEAD = BURST // 2
# A quiet machine counts some seven times as many.
SLOWEST_HITS_PER_SECOND = 1_000
# The board's second, and other programs on a machine with two processors.
TELLING_SECONDS = 5.0


def test_in_a_burst_of_one_show_another_waits_for_no_more_than_what_came_before_it() -> None:
    viral, other = EpisodeFactory.create_batch(2)
    boards = {one.show_id: Board.of_show(one.show_id) for one in (viral, other)}
    watch(*boards.values())
    hit = _hit_on(viral)
    burst = [_by_another_listener(hit, number) for number in range(BURST)]
    batches: list[BatchSummary] = []
    told: dict[Board, float] = {}

    def tell(messages: Mapping[Board, str]) -> None:
        for board, text in messages.items():
            if msgspec.json.decode(text)["today"]:
                told.setdefault(board, time.monotonic())

    publisher = Publisher(send=tell)

    def note(summary: BatchSummary) -> None:
        publisher.note(summary)
        batches.append(summary)

    _send([*burst[:AHEAD], _hit_on(other), *burst[AHEAD:]])
    began = time.monotonic()
    with running(Counter(note).run, publisher.run):  # as `manage.py count` has them
        longest = AHEAD / SLOWEST_HITS_PER_SECOND + TELLING_SECONDS
        wait_until(lambda: boards[other.show_id] in told, seconds=4 * longest)

    shows = [[one.show for one in batch.downloads] for batch in batches]
    ahead = _before(other.show_id, shows)
    assert 0 < ahead <= AHEAD
    assert told[boards[other.show_id]] - began <= longest


def _before(show: UUID, batches: list[list[UUID]]) -> int:
    """How many downloads the batches before that show's have."""
    own = next(index for index, shows in enumerate(batches) if show in shows)
    return sum(len(shows) for shows in batches[:own])


def _hit_on(episode: Episode) -> Hit:
    (hit,) = placed(
        [whole(when=now())],
        episode=episode.id,
        show=episode.show_id,
        organization=episode.organization_id,
    )
    return hit


def _by_another_listener(hit: Hit, number: int) -> Hit:
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return replace(hit, id=new_id(), ip=address)


def _send(hits: list[Hit]) -> None:
    """All at once, in this order."""
    pipe = valkey.connection().pipeline()
    for hit in hits:
        pipe.xadd(stream.name(), {stream.FIELD: hit.to_json()})
    pipe.execute()
