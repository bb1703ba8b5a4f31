"""A counter that runs to the end of the stream, in this worker's own key space."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import redis
import time_machine

from apps.core import valkey
from apps.downloads import stream
from apps.downloads.counter import Counter
from apps.downloads.hit import Hit
from apps.downloads.summary import BatchSummary, NewDownload
from podcasts.models import Episode
from tests.downloads.making import NOON, placed
from tests.factories import EpisodeFactory

type Send = Callable[..., None]
type Count = Callable[[], list[NewDownload]]


@pytest.fixture
def client(clean_valkey: None) -> redis.Redis:
    """A connection to an empty key space."""
    return valkey.connection()


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """It is half past twelve on the day of the cases."""
    with time_machine.travel(NOON.replace(minute=30), tick=False) as traveller:
        yield traveller


@dataclass(frozen=True)
class Aired:
    """An episode with the ids that its hits carry."""

    episode: Episode

    def hits(self, *hits: Hit) -> list[Hit]:
        """These hits, on this episode."""
        return placed(
            hits,
            episode=self.episode.id,
            show=self.episode.show_id,
            organization=self.episode.organization_id,
        )


@pytest.fixture
def aired(db: None) -> Aired:
    """A published episode."""
    return Aired(EpisodeFactory())


@pytest.fixture
def send(client: redis.Redis) -> Send:
    """Put hits, or raw messages, into the stream."""

    def put(*messages: Hit | bytes) -> None:
        for message in messages:
            body = message if isinstance(message, bytes) else message.to_json()
            client.xadd(stream.name(), {stream.FIELD: body})

    return put


@pytest.fixture
def count(client: redis.Redis) -> Count:
    """Count with a fresh counter until the stream is empty; the downloads it announced."""

    def run() -> list[NewDownload]:
        heard: list[BatchSummary] = []
        counter = Counter(on_batch=heard.append)
        while counter.step():
            pass
        return [download for summary in heard for download in summary.downloads]

    return run
