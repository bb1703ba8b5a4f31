"""Counting into tables of one's own: the same statements, and nobody else sees what they do.

A temporary table hides the one of its name from the connection that made it. So the code that
counts can count a day anew, or add up all downloads anew, beside the real numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, models
from psycopg import sql

from apps.downloads.locks import waiting_briefly
from apps.downloads.models import (
    Coverage,
    DayListener,
    DayTotal,
    Download,
    DropTally,
    HourTotal,
    ListenerTotal,
    MonthArrival,
    MonthListeners,
    MonthTotal,
)

# Whoever changes totals holds it shared for a moment; whoever replaces them holds it alone. Its
# place among the locks is told in locks.py.
_LOCK = 0x4C6F6E67_53776170

type Model = type[models.Model]

# Everything that a batch writes to.
WRITTEN: tuple[Model, ...] = (
    *(Coverage, DayListener, Download, HourTotal, DayTotal, MonthTotal, ListenerTotal),
    *(DropTally, MonthArrival, MonthListeners),
)


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
    """To be called by whoever changes counts, before anything else of the transaction."""
    _lock("pg_advisory_xact_lock_shared")


def stop_counting() -> None:
    """Until the end of this transaction nobody else counts.

    To be called before anything else of it. Raises BusyError when somebody counts for long.
    """
    with waiting_briefly():
        wait_to_count_alone()


def wait_to_count_alone() -> None:
    """The same, however long it takes: for what would lose hours of work by giving up.

    Counters queue behind it, so nobody may count for long but who stopped them as well.
    """
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_LOCK])


def _rename(table: str, to: str) -> None:
    _execute(
        "ALTER TABLE {table} RENAME TO {to}",
        table=sql.Identifier("pg_temp", table),
        to=sql.Identifier(to),
    )


def _execute(statement: str, **parts: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**parts))
