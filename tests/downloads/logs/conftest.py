"""A counter that remembers, sources in a folder, and a bucket of logs."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.conf import LazySettings
from django.db import transaction

from apps.core.clock import now
from apps.downloads.agents import classify
from apps.downloads.hit import Hit
from apps.downloads.intervals import Interval, size, union
from apps.downloads.logs.audio_versions import remember_current
from apps.downloads.logs.models import LogSource
from apps.downloads.logs.sources import save_source
from apps.downloads.logs.sweeping import Sweeper, Swept
from apps.downloads.rules import DropReason, judge
from apps.downloads.window import epoch_ms, open_day
from podcasts.models import Episode
from tests.downloads.making import NOON
from tests.factories import EpisodeFactory
from tests.media.servers import S3Server

type Sweep = Callable[..., Swept]
type Fault = Callable[[str], None]


class Killed(BaseException):
    """What a kill looks like to the code it hits."""


@dataclass
class MemoryCounter:
    """Counts as the rules say; what it learned goes with a transaction that is rolled back.

    ``fault`` is called with the name of each moment of a call, and may raise.
    """

    fault: Fault = lambda moment: None
    ids: list[UUID] = field(default_factory=list)
    drops: Counter[DropReason] = field(default_factory=Counter)
    coverage: dict[tuple[UUID, UUID, str, str], tuple[Interval, ...]] = field(default_factory=dict)
    thresholds: dict[UUID, int] = field(default_factory=dict)
    seen: list[Hit] = field(default_factory=list)

    def __call__(self, hits: Sequence[Hit], also: Callable[[], None]) -> None:
        with transaction.atomic():
            self.fault("before")
            now_ms = epoch_ms(now())
            verdicts = [
                judge(
                    hit,
                    agent=classify(hit.agent),
                    day=open_day(hit.at, now_ms=now_ms),
                    data_centres=(),
                )
                for hit in hits
            ]
            also()
            self.fault("within")
        for hit, verdict in zip(hits, verdicts, strict=True):
            self.ids.append(hit.id)
            self.seen.append(hit)
            if isinstance(verdict, DropReason):
                self.drops[verdict] += 1
                continue
            key = (hit.episode, hit.rendition, verdict.address, hit.agent)
            self.coverage[key] = union([*self.coverage.get(key, ()), *verdict.sent])
            self.thresholds[hit.rendition] = verdict.threshold_bytes
        self.fault("after")

    @property
    def downloads(self) -> int:
        """How many listeners were sent enough."""
        return sum(size(sent) >= self.thresholds[key[1]] for key, sent in self.coverage.items())


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """It is half past twelve on the day of the cases."""
    with time_machine.travel(NOON.replace(minute=30), tick=False):
        yield


@pytest.fixture
def episode(db: None) -> Episode:
    """A published episode whose audio is remembered."""
    episode: Episode = EpisodeFactory(slug="one")
    remember_current()
    return episode


@pytest.fixture
def path(episode: Episode) -> str:
    """The episode's stable address."""
    return f"/media/{episode.id}/one.mp3"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where logs lie."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def make_source(db: None, folder: Path) -> Callable[..., LogSource]:
    """A source of CloudFront's logs in the folder, unless it is told otherwise."""

    def make(**options: Any) -> LogSource:
        options = {"place": str(folder), "format": "cloudfront"} | options
        return save_source(LogSource(name=options.pop("name", "cdn")), **options)

    return make


@pytest.fixture
def counter() -> MemoryCounter:
    """Remembers what it was given."""
    return MemoryCounter()


@pytest.fixture
def sweep(counter: MemoryCounter) -> Sweep:
    """One pass over a source."""

    def run(source: LogSource, **options: Any) -> Swept:
        source.refresh_from_db()
        return Sweeper(counter, **options).sweep(source)

    return run


@pytest.fixture
def logs_bucket(s3: S3Server, settings: LazySettings, tmp_path: Path) -> str:
    """A bucket that the settings lead to."""
    settings.LOGS_S3_ENDPOINT_URL = s3.endpoint
    settings.LOGS_ACCESS_KEY_ID = s3.access_key
    settings.LOGS_SECRET_ACCESS_KEY = s3.secret_key
    settings.SCRATCH_ROOT = tmp_path / "scratch"
    return s3.bucket
