"""What the tests of the live boards begin with."""

from collections.abc import Iterator

import pytest
import time_machine

from podcasts.models import Episode, Show
from tests.conftest import People
from tests.factories import EpisodeFactory, ShowFactory
from tests.live.staging import NOON, Stage


@pytest.fixture
def episode(people: People) -> Episode:
    """A published episode of the organisation."""
    return EpisodeFactory(show__organization=people.organization)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """It is noon."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield Stage(traveller)


@pytest.fixture
def noon() -> Iterator[None]:
    """Time stands still, so that two answers can be compared whole."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def show(people: People) -> Show:
    """The organisation's, without episodes."""
    return ShowFactory(organization=people.organization)
