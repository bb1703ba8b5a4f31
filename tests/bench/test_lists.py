"""The three lists that are timed: they answer the same, and a difference is a fault."""

from types import SimpleNamespace
from typing import Any

import pytest

from bench.lists import lists_of, time_lists
from bench.load.bodies import FaultError
from bench.peers import written_list
from podcasts.models import Show
from tests.conftest import People
from tests.factories import EpisodeFactory, ImageFactory, ShowFactory


@pytest.fixture
def seeded(people: People, clean_valkey: None) -> Any:
    show: Show = ShowFactory(organization=people.organization)
    EpisodeFactory(show=show, artwork=ImageFactory())
    EpisodeFactory.create_batch(4, show=show)
    return SimpleNamespace(show=show.id, email=people.editor.email)


def test_all_three_are_timed(seeded: Any) -> None:
    figures = list(time_lists(seeded, rows=5, tries=2))
    assert [figure.goal is not None for figure in figures] == [True, True]
    assert all(figure.value > 0 for figure in figures)


def test_another_document_is_a_fault(seeded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own = [name for name in written_list._OWN if name != "notes"]
    monkeypatch.setattr(written_list, "_OWN", own)
    with pytest.raises(FaultError, match="by hand"):
        list(time_lists(seeded, rows=5, tries=1))


def test_lists_are_as_long_as_asked_for(seeded: Any) -> None:
    assert all(make().count(b'"guid"') == 3 for make in lists_of(seeded, rows=3).values())
