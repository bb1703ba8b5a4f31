"""An app of somebody else's, and something that it may ask for."""

import pytest

from apps.accounts.oauth import register_app
from apps.accounts.scopes import Scope
from podcasts.models import Episode
from tests.accounts.caller import BACK, Caller
from tests.conftest import People
from tests.factories import EpisodeFactory


@pytest.fixture
def caller(people: People) -> Caller:
    """An app that may ask for reading and figures, and the editor's browser."""
    app = register_app(name="Podgraph", redirect_uris=[BACK], scopes=[Scope.READ, Scope.STATS])
    return Caller(app, people.client("editor"))


@pytest.fixture
def episode(people: People) -> Episode:
    """A published episode of the organisation."""
    return EpisodeFactory(show__organization=people.organization)
