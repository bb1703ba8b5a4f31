"""What rendering rows reads of the database: declared beside each field, fetched, nothing more.

A path is written as in a query: ``title``, ``show__handle``, ``audio__renditions__size_bytes``.
What is one is joined; what is many (by a foreign key) is read with one more query; of every table
only the columns that are named are fetched. Whatever was not declared raises (``FETCH_RAISE``),
and while rows are rendered the database answers nothing at all: that also finds reverse managers,
which ``FETCH_RAISE`` does not see.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from django.db import connection
from django.db.models import FETCH_RAISE, Model, QuerySet

_CACHE = "_prefetched_objects_cache"  # Django's, in which managers look first


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
        if field.many_to_many:
            raise ValueError(f"{self.model.__name__}.{name}: read its through model instead")
        if field.one_to_many:
            branch = self._many.setdefault(name, Reading(field.related_model))
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
        bare = rows.select_related(None)  # whatever a door has joined
        fetched = bare.select_related(*joined) if joined else bare
        only = fetched.only(*self._joined_paths()).prefetch_related(None)
        return only.fetch_mode(FETCH_RAISE)

    def complete(self, rows: Sequence[Model]) -> None:
        """Fetch what is many of rows that :meth:`apply` has fetched: a query for each relation.

        As ``prefetch_related`` does it, but that filters a queryset anew for every single row.
        """
        for name, branch in self._many.items():
            branch.complete(_fetch_many(rows, name, branch))
        for name, branch in self._joined.items():
            found = [getattr(row, name, None) for row in rows]
            branch.complete([row for row in found if row is not None])

    def _joined_names(self, prefix: str = "") -> Iterator[str]:
        for name, branch in self._joined.items():
            yield prefix + name
            yield from branch._joined_names(f"{prefix}{name}__")

    def _joined_paths(self, prefix: str = "") -> Iterator[str]:
        yield from (prefix + column for column in self._columns)
        for name, branch in self._joined.items():
            yield from branch._joined_paths(f"{prefix}{name}__")


def _fetch_many(rows: Sequence[Model], name: str, branch: Reading) -> list[Model]:
    """Rows of a reverse relation, each put where ``row.<name>.all()`` looks first."""
    if not rows:
        return []
    relation: Any = rows[0]._meta.get_field(name)
    key = relation.field.attname
    owners = {row.pk for row in rows}
    found = list(branch.apply(branch.model._default_manager.filter(**{f"{key}__in": owners})))
    by_owner: defaultdict[Any, list[Model]] = defaultdict(list)
    for one in found:
        by_owner[getattr(one, key)].append(one)
    for row in rows:
        # A list, where Django keeps querysets: to ask it for anything but all is an error.
        row.__dict__.setdefault(_CACHE, {})[relation.cache_name] = by_owner[row.pk]
    return found


def many_of(owner: Model, name: str) -> list[Any]:
    """The rows that :meth:`Reading.complete` has fetched; raises UndeclaredReadError."""
    try:
        found: list[Any] = owner.__dict__[_CACHE][name]
    except KeyError as error:
        raise UndeclaredReadError(f"{type(owner).__name__}.{name}") from error
    return found


@contextmanager
def refusing_queries() -> Iterator[None]:
    """Within this, whatever asks the database raises UndeclaredReadError."""
    with connection.execute_wrapper(_refuse):
        yield


def _refuse(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
    raise UndeclaredReadError(f"asked while rendering: {sql[:200]}")
