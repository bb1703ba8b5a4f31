"""A column of byte intervals: PostgreSQL's ``int8multirange``."""

import json
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from apps.downloads.intervals import Interval, to_multirange, union

if TYPE_CHECKING:
    _Intervals = models.Field[Any, tuple[Interval, ...]]
else:
    _Intervals = models.Field


class IntervalsField(_Intervals):
    """Half-open intervals of bytes, always sorted and disjoint.

    A tuple of ``(start, end)`` in Python; in PostgreSQL ``+`` is their union.
    """

    description = "Intervals of bytes"
    empty_strings_allowed = False

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "int8multirange"

    def from_db_value(
        self, value: Any, expression: Any, connection: BaseDatabaseWrapper
    ) -> tuple[Interval, ...] | None:
        return None if value is None else self.to_python(value)

    def to_python(self, value: Any) -> tuple[Interval, ...] | None:
        """Also reads the JSON that :meth:`value_to_string` wrote for a fixture."""
        if value is None:
            return None
        if isinstance(value, str):
            value = json.loads(value)
        if isinstance(value, Multirange):
            return tuple(_bounds(part) for part in value)
        return union((int(start), int(end)) for start, end in value)

    def get_prep_value(self, value: Any) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return to_multirange(self.to_python(value) or ())

    def get_placeholder_sql(
        self, value: Any, compiler: Any, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        """A text parameter needs the cast wherever PostgreSQL can't infer the type."""
        if hasattr(value, "as_sql"):
            sql, params = compiler.compile(value)
            return sql, tuple(params)
        return f"%s::{self.db_type(connection)}", (value,)

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj))


def _bounds(part: Range[int]) -> Interval:
    if part.lower is None or part.upper is None:
        raise ValueError("an interval of bytes has two ends")
    return part.lower, part.upper
