"""What rendering rows reads of the database: declared beside each field, fetched, nothing more.

A path is written as in a query: ``title``, ``show__handle``, ``audio__renditions__size_bytes``.
Forward relations are joined; what is many is read with one more query; of every table only the
columns that are named are fetched. Whatever was not declared raises (``FETCH_RAISE``), and while
rows are rendered the database answers nothing at all: that also finds reverse managers, which
``FETCH_RAISE`` does not see.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.db import connection
from django.db.models import FETCH_RAISE, Model, Prefetch, QuerySet
from django.db.models.fields.reverse_related import ForeignObjectRel


class UndeclaredReadError(RuntimeError):
    """A field was rendered from something that it doesn't declare: a mistake of ours."""


class Reading:
    """The columns and relations of one model that are read, and of those it leads to."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self._columns = {model._meta.pk.attname}
        self._joined: dict[str, Reading] = {}
        self._many: dict[str, Reading] = {}

    @classmethod
    def of(cls, model: type[Model], paths: Iterable[str]) -> Self:
        """All paths together; raises FieldDoesNotExist for one that the model hasn't."""
        reading = cls(model)
        for path in paths:
            reading.add(path)
        return reading

    def add(self, path: str) -> None:
        """Read one more path; a relation alone is read as its key, or as the rows' keys."""
        name, _, rest = path.partition("__")
        field: Any = self.model._meta.get_field(name)
        if field.concrete:
            self._columns.add(field.attname)
        if not field.is_relation:
            return
        if field.many_to_many or field.one_to_many:
            branch = self._many.setdefault(name, Reading(field.related_model))
            if isinstance(field, ForeignObjectRel) and field.one_to_many:
                branch.add(field.field.name)  # how rows find what they belong to
        elif rest or not field.concrete:
            branch = self._joined.setdefault(name, Reading(field.related_model))
        if rest:
            branch.add(rest)

    def paths(self, prefix: str = "") -> Iterator[str]:
        """Every column that is read, as a path."""
        yield from (prefix + column for column in sorted(self._columns))
        for name, branch in [*self._joined.items(), *self._many.items()]:
            yield from branch.paths(f"{prefix}{name}__")

    def apply[M: Model](self, rows: QuerySet[M]) -> QuerySet[M]:
        """The same rows, with all that is declared and nothing that is not."""
        joined = list(self._joined_names())
        fetched = rows.select_related(*joined) if joined else rows.select_related(None)
        return (
            fetched.only(*self._joined_paths())
            .prefetch_related(None)
            .prefetch_related(*self._prefetches())
            .fetch_mode(FETCH_RAISE)
        )

    def _joined_names(self, prefix: str = "") -> Iterator[str]:
        for name, branch in self._joined.items():
            yield prefix + name
            yield from branch._joined_names(f"{prefix}{name}__")

    def _joined_paths(self, prefix: str = "") -> Iterator[str]:
        yield from (prefix + column for column in self._columns)
        for name, branch in self._joined.items():
            yield from branch._joined_paths(f"{prefix}{name}__")

    def _prefetches(self, prefix: str = "") -> Iterator[Prefetch[Any]]:
        for name, branch in self._many.items():
            rows = branch.apply(branch.model._default_manager.all())
            yield Prefetch(prefix + name, queryset=rows)
        for name, branch in self._joined.items():
            yield from branch._prefetches(f"{prefix}{name}__")


@contextmanager
def refusing_queries() -> Iterator[None]:
    """Within this, whatever asks the database raises UndeclaredReadError."""
    with connection.execute_wrapper(_refuse):
        yield


def _refuse(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
    raise UndeclaredReadError(f"asked while rendering: {sql[:200]}")
