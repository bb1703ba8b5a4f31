"""What the tests of statistics begin with."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from podcasts.models import Episode
from tests.conftest import People
from tests.factories import EpisodeFactory
from tests.frontend.statistics.reading import NOON


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def episode(people: People, noon: None) -> Episode:
    """An episode of a show in Berlin, published nine days ago."""
    made: Episode = EpisodeFactory(
        show__organization=people.organization,
        show__time_zone="Europe/Berlin",
        title="The first",
        published_at=NOON - timedelta(days=9),
    )
    return made
