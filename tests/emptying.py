"""Emptying the database after a test that committed, by deleting what is in it.

Django's own way truncates every table, whose files PostgreSQL then makes anew by the hundred, and
adds the rows of ``post_migrate`` again. Few tests leave rows in more than ten tables.
"""

from typing import Any

from django.core.management.commands import flush
from django.db import connection, transaction


class Flush(flush.Command):
    """``flush`` as Django's tests call it; rows that migrating made are kept, not made again."""

    def __init__(self) -> None:
        super().__init__()
        self._tables: list[str] = []
        self._migrated: dict[str, str] = {}  # table: digest of the rows that migrating left there

    def remember(self) -> None:
        """Take what the database holds now for what belongs there."""
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        self._tables = [connection.ops.quote_name(name) for name in sorted(names)]
        self._migrated = {table: _digest(table) for table in _filled(self._tables)}

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Delete all rows that weren't there at first; if one of the first is missing, begin anew.

        All foreign keys are checked at the end of the transaction: the order doesn't matter.
        """
        if any(_digest(table) != digest for table, digest in self._migrated.items()):
            super().handle(*arguments, **options)
            self.remember()
            return
        others = [table for table in self._tables if table not in self._migrated]
        with transaction.atomic(), connection.cursor() as cursor:
            for table in _filled(others):
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608 -- the name of our own table


def _filled(tables: list[str]) -> list[str]:
    """Those that hold a row."""
    with connection.cursor() as cursor:
        asked = ", ".join(f"EXISTS (SELECT FROM {table})" for table in tables)
        cursor.execute(f"SELECT {asked}")
        answers = cursor.fetchone()
    return [table for table, is_filled in zip(tables, answers, strict=True) if is_filled]


def _digest(table: str) -> str:
    rows = "string_agg(row::text, ' ' ORDER BY row::text)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT md5({rows}) FROM {table} AS row")  # noqa: S608 -- as above
        return str(cursor.fetchone()[0])
