"""Rows of lists, made from what the database answers without what only new rows need."""

from collections.abc import Collection
from typing import Any, Self

from django.db.models.base import ModelState
from django.db.models.fetch_modes import FetchMode


class PlainLoading:
    """To stand before ``models.Model`` in models that lists hold by the hundred.

    Django makes a row by ``__init__``: it goes through all columns of the model, those too that
    were not fetched, and sends two signals. A quarter of the time of a list was spent there, so
    here the values are put where ``__init__`` would put them. ``pre_init`` and ``post_init`` are
    therefore not sent for rows that are loaded; ``ImageField`` is the only one that needs them.
    """

    _state: ModelState

    @classmethod
    def from_db(
        cls,
        db: str | None,
        field_names: Collection[str],
        values: Collection[Any],
        *,
        fetch_mode: FetchMode | None = None,
    ) -> Self:
        """What the ORM calls for each row, with the names and values of the columns fetched."""
        row = cls.__new__(cls)
        state = row._state = ModelState()
        state.adding = False
        state.db = db
        if fetch_mode is not None:
            state.fetch_mode = fetch_mode
        row.__dict__.update(zip(field_names, values, strict=True))
        return row
