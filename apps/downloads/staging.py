"""Temporary tables that a batch is copied into, so that one statement works on all of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import connection
from psycopg import sql

_MARK = "bool NOT NULL DEFAULT false"
# What has the same binary form, and is made of values that C code turns into it.
_SENT_AS = {"uuid": "bytea", "date": "int4", "timestamptz": "int8"}
# From when PostgreSQL's binary dates and times count.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_EPOCH_MS = int(_EPOCH.timestamp() * 1000)
_MICROSECOND = timedelta(microseconds=1)


def staged_day(day: date) -> int:
    """A date as `Staging` takes it."""
    return day.toordinal() - _EPOCH_DAY


def staged_time(at: datetime) -> int:
    """A time as `Staging` takes it."""
    return (at - _EPOCH) // _MICROSECOND


def staged_time_ms(at_ms: int) -> int:
    """Milliseconds of Unix time as `Staging` takes them."""
    return (at_ms - _EPOCH_MS) * 1000


@dataclass(frozen=True)
class Staging:
    """A table of this connection; it holds what it was filled with last, until the commit."""

    table: str
    columns: Mapping[str, str]  # to their types, in the order of a row's values
    marks: Sequence[str] = ()  # further columns, false to begin with

    def fill(self, rows: Iterable[Sequence[Any]]) -> None:
        """Put these rows in by a binary COPY, the fastest way. Raises django.db.Error.

        A UUID is given as its 16 bytes, a date and a time as :func:`staged_day` and
        :func:`staged_time` make them. Making the rows must not ask the database anything: its
        connection is busy.
        """
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.execute(self._begin)
            with cursor.copy(self._copy) as copy:
                copy.set_types([_SENT_AS.get(kind, kind) for kind in self.columns.values()])
                write = copy.write_row
                for row in rows:
                    write(row)

    @cached_property
    def _begin(self) -> str:
        columns = (
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in (*self.columns.items(), *((mark, _MARK) for mark in self.marks))
        )
        return (
            sql.SQL(
                "CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS; "
                "DELETE FROM {table}"
            )
            .format(table=sql.Identifier(self.table), columns=sql.SQL(", ").join(columns))
            .as_string()
        )

    @cached_property
    def _copy(self) -> str:
        return (
            sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
            .format(
                sql.Identifier(self.table), sql.SQL(", ").join(map(sql.Identifier, self.columns))
            )
            .as_string()
        )
