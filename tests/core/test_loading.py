"""Rows that are loaded without ``__init__`` are what Django would have made."""

import pytest
from django.core.exceptions import FieldFetchBlocked
from django.db import models
from django.db.models import FETCH_RAISE
from django.db.models.base import ModelState

from apps.core.loading import PlainLoading
from podcasts.models import Episode
from tests.factories import EpisodeFactory

pytestmark = pytest.mark.django_db


def state_of(row: models.Model) -> dict[str, object]:
    state = row._state
    assert isinstance(state, ModelState)
    return {"adding": state.adding, "db": state.db, "mode": state.fetch_mode}


def told(row: models.Model) -> dict[str, object]:
    return {name: value for name, value in row.__dict__.items() if name != "_state"}


@pytest.mark.parametrize("only", [(), ("title",), ("show__title", "slug")], ids=str)
def test_a_row_is_as_django_makes_it(
    only: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    EpisodeFactory()
    rows = Episode.objects.select_related("show")
    rows = rows.only(*only, "show") if only else rows

    ours = rows.get()
    monkeypatch.delattr(PlainLoading, "from_db")
    theirs = rows.get()

    assert told(ours) == told(theirs)
    assert told(ours.show) == told(theirs.show)
    assert state_of(ours) == state_of(theirs)
    assert ours.get_deferred_fields() == theirs.get_deferred_fields()


def test_a_column_that_was_not_fetched_is_fetched_when_asked_for_or_refused() -> None:
    made = EpisodeFactory(title="One")

    assert Episode.objects.only("slug").get().title == "One"
    with pytest.raises(FieldFetchBlocked):
        _ = Episode.objects.only("slug").fetch_mode(FETCH_RAISE).get().title
    loaded = Episode.objects.only("slug").get()
    loaded.title = "Two"
    loaded.save(update_fields=["title"])
    made.refresh_from_db()
    assert made.title == "Two"
