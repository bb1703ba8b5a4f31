"""Temporary tables that a batch is copied into, so that one statement works on all of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

_MARK = "bool NOT NULL DEFAULT false"


@dataclass(frozen=True, slots=True)
class Staging:
    """A table of this connection; it holds what it was filled with last, until the commit."""

    table: str
    columns: Mapping[str, str]  # to their types, in the order of a row's values
    marks: Sequence[str] = ()  # further columns, false to begin with

    def fill(self, rows: Iterable[Sequence[Any]]) -> None:
        """Put these rows in by a binary COPY, the fastest way. Raises django.db.Error.

        Making the rows must not ask the database anything: its connection is busy.
        """
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.execute(self._create())
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(self.table)))
            with cursor.copy(self._copy()) as copy:
                copy.set_types(list(self.columns.values()))
                write = copy.write_row
                for row in rows:
                    write(row)

    def _create(self) -> sql.Composed:
        columns = (
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
            for name, kind in (*self.columns.items(), *((mark, _MARK) for mark in self.marks))
        )
        return sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS").format(
            sql.Identifier(self.table), sql.SQL(", ").join(columns)
        )

    def _copy(self) -> sql.Composed:
        return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(self.table), sql.SQL(", ").join(map(sql.Identifier, self.columns))
        )
