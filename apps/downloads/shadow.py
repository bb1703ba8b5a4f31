"""Counting into tables of one's own: the same statements, and nobody else sees what they do.

A temporary table hides the one of its name from the connection that made it. So the code that
counts can count a day anew, or add up all downloads anew, beside the real numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, models
from psycopg import sql

from apps.downloads.models import Download

# Whoever changes totals holds it shared for a moment; whoever replaces them holds it alone.
_LOCK = 0x4C6F6E67_53776170
# The same for imports of history, which are long: nobody should stop the counters to wait for one.
_IMPORTS = 0x4C6F6E67_4D6F7665

type Model = type[models.Model]


def shadow_of(model: Model) -> str:
    """What the hidden table is called once it hides nothing any more."""
    return f"recounted_{model._meta.db_table.removeprefix('downloads_')}"


def create(of: Sequence[Model]) -> None:
    """Make empty tables, like these, under the names of `shadow_of`."""
    drop(of)
    for model in of:
        _execute(
            "CREATE TEMPORARY TABLE {shadow} (LIKE {real} INCLUDING ALL {but})",
            shadow=sql.Identifier(shadow_of(model)),
            real=sql.Identifier(model._meta.db_table),
            # Downloads are numbered on from the real ones.
            but=sql.SQL("EXCLUDING IDENTITY" if model is Download else ""),
        )


@contextmanager
def hiding(of: Sequence[Model]) -> Iterator[None]:
    """Let the tables that `create` made hide the real ones for a while."""
    for model in of:
        _rename(shadow_of(model), model._meta.db_table)
    try:
        yield
    finally:
        # After an error within a transaction nothing can be renamed, nor has to be.
        if not connection.needs_rollback:
            for model in of:
                _rename(model._meta.db_table, shadow_of(model))


def drop(of: Sequence[Model]) -> None:
    """Forget the tables again."""
    for model in of:
        for name in (shadow_of(model), model._meta.db_table):
            _execute("DROP TABLE IF EXISTS {table}", table=sql.Identifier("pg_temp", name))


def wait_for_recounts() -> None:
    """To be called by whoever changes totals, before anything else of the transaction."""
    _lock("pg_advisory_xact_lock_shared", _LOCK)


def begin_import() -> None:
    """The same, for a transaction that may take minutes."""
    _lock("pg_advisory_xact_lock_shared", _IMPORTS)


def stop_counting() -> None:
    """Until the end of this transaction nobody counts; waits for imports, then for counters."""
    _lock("pg_advisory_xact_lock", _IMPORTS)
    _lock("pg_advisory_xact_lock", _LOCK)


def _lock(function: str, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])


def _rename(table: str, to: str) -> None:
    _execute(
        "ALTER TABLE {table} RENAME TO {to}",
        table=sql.Identifier("pg_temp", table),
        to=sql.Identifier(to),
    )


def _execute(statement: str, **parts: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**parts))
