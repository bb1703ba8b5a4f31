"""Serializers of rows: each field says what it reads, and a row is rendered by a compiled plan."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers

from api.base.reading import Reading, many_of, refusing_queries

type Getter = Callable[[Any], Any]


class UnknownFieldError(LookupError):
    """Somebody asked for a field that a row hasn't; the argument is its name."""


class Computed(serializers.Field[Any, Any, Any, Any]):
    """A value made from a row by a function, which reads these paths of it and nothing else."""

    def __init__(
        self,
        of: Getter,
        output: "serializers.Field[Any, Any, Any, Any]",
        *,
        reads: Sequence[str],
    ) -> None:
        super().__init__(source="*", read_only=True, help_text=output.help_text)
        self.of = of
        self.output = output
        self.reads = tuple(reads)

    def to_representation(self, value: Any) -> Any:
        """The function's answer, which is JSON already."""
        return self.of(value)


def told_once(output: "serializers.Field[Any, Any, Any, Any]") -> Computed:
    """What no row has, and the view adds to one answer: ``row_answer(…, once=…)``."""
    return Computed(lambda row: None, output, reads=[])


@dataclass(frozen=True, slots=True)
class Plan[M: Model]:
    """How rows are fetched and rendered when these of their fields are wanted."""

    reading: Reading
    getters: tuple[tuple[str, Getter], ...]

    def render(self, row: M) -> dict[str, Any]:
        """A row that was fetched by :meth:`fetch`."""
        return {name: get(row) for name, get in self.getters}

    def fetch(self, rows: QuerySet[M]) -> QuerySet[M]:
        """The same rows with all that rendering reads of them and of what is joined."""
        return self.reading.apply(rows)

    def render_all(self, rows: Iterable[M]) -> list[dict[str, Any]]:
        """Fetched rows, while the database answers nothing."""
        fetched = list(rows)
        self.reading.complete(fetched)
        with refusing_queries():
            return [self.render(row) for row in fetched]


class RowSerializer[M: Model](serializers.ModelSerializer[M]):
    """A row as programs see it; what it reads is derived from its fields."""

    @classmethod
    def model(cls) -> type[M]:
        """Whose rows these are."""
        model: type[M] = cls.Meta.model
        return model

    @classmethod
    def plan(cls, wanted: frozenset[str] | None = None) -> Plan[M]:
        """How to fetch and render rows; ``wanted`` are dotted names, None stands for all.

        Raises UnknownFieldError for a name that there isn't.
        """
        return _plan(cls, wanted)

    def to_representation(self, instance: M) -> dict[str, Any]:
        """All fields."""
        return self.plan().render(instance)

    @classmethod
    def names(cls, prefix: str = "") -> Iterator[str]:
        """Every name that can be wanted, dotted."""
        for name, field in cls().fields.items():
            yield prefix + name
            inner = _row_class(field)
            if inner is not None:
                yield from inner.names(f"{prefix}{name}.")


@lru_cache(maxsize=1024)
def _plan(cls: type[RowSerializer[Any]], wanted: frozenset[str] | None) -> Plan[Any]:
    fields = cls().fields
    chosen = _chosen(wanted, fields)
    reading = Reading(cls.model())
    getters = tuple(
        (name, _getter(field, chosen[name], reading))
        for name, field in fields.items()
        if name in chosen
    )
    return Plan(reading, getters)


def _chosen(
    wanted: frozenset[str] | None, fields: Iterable[str]
) -> dict[str, frozenset[str] | None]:
    """For each field that is wanted, what is wanted of it; None: all."""
    if wanted is None:
        return dict.fromkeys(fields)
    chosen: dict[str, frozenset[str] | None] = {}
    for path in sorted(wanted):  # a name stands before the longer ones that begin with it
        name, _, rest = path.partition(".")
        if name not in fields:
            raise UnknownFieldError(path)
        if not rest:
            chosen[name] = None
        elif chosen.get(name, frozenset()) is not None:
            chosen[name] = (chosen.get(name) or frozenset()) | {rest}
    return chosen


def _row_class(field: Any) -> type[RowSerializer[Any]] | None:
    inner = field.child if isinstance(field, serializers.ListSerializer) else field
    return type(inner) if isinstance(inner, RowSerializer) else None


def _getter(field: Any, wanted: frozenset[str] | None, reading: Reading) -> Getter:
    if isinstance(field, Computed):
        _refuse_inner(field, wanted)
        for path in field.reads:
            reading.add(path)
        return field.of
    path = "__".join(field.source_attrs)
    inner = _row_class(field)
    if inner is None:
        _refuse_inner(field, wanted)
        reading.add(path)
        return _column(field, reading.model)
    try:
        plan = inner.plan(wanted)
    except UnknownFieldError as error:
        raise UnknownFieldError(f"{field.field_name}.{error}") from error
    for below in plan.reading.paths(f"{path}__"):
        reading.add(below)
    is_many = isinstance(field, serializers.ListSerializer)
    return _many(field.source_attrs, plan) if is_many else _one(field.source_attrs, plan)


def _refuse_inner(field: Any, wanted: frozenset[str] | None) -> None:
    if wanted is not None:
        raise UnknownFieldError(f"{field.field_name}.{min(wanted)}")


def _column(field: Any, model: type[Model]) -> Getter:
    """A column's value as it is: the renderer writes dates, ids and numbers."""
    attributes = list(field.source_attrs)
    if isinstance(field, serializers.PrimaryKeyRelatedField):
        attributes[-1] += "_id"
    if len(attributes) == 1:
        return attrgetter(attributes[0])
    follow = _following(attributes[:-1])
    last = attrgetter(attributes[-1])
    return lambda row: None if (found := follow(row)) is None else last(found)


def _following(attributes: Sequence[str]) -> Getter:
    """Along forward relations; None where one of them leads nowhere."""
    getters = [attrgetter(name) for name in attributes]

    def follow(row: Any) -> Any:
        for get in getters:
            if row is None:
                return None
            row = get(row)
        return row

    return follow


def _one(attributes: Sequence[str], plan: Plan[Any]) -> Getter:
    follow = _following(attributes)
    return lambda row: None if (found := follow(row)) is None else plan.render(found)


def _many(attributes: Sequence[str], plan: Plan[Any]) -> Getter:
    follow, name = _following(attributes[:-1]), attributes[-1]

    def rows(row: Any) -> list[dict[str, Any]]:
        owner = follow(row)
        if owner is None:
            return []
        return [plan.render(found) for found in many_of(owner, name)]

    return rows
