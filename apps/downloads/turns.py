"""Names for the stream's consumers: each is one living process's, and nobody's once that died.

A name is a PostgreSQL advisory lock, which ends with the database connection, even by a kill. It
is never given twice: a process that has lost its connection, as all do when the database restarts,
may still be reading in its name. What it is given then lies behind its own position, not behind
that of a successor, and waits until somebody finds the name free and finishes what it left.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x436E7472
_NUMBERS = 2**31  # what PostgreSQL takes beside it


@contextmanager
def taken() -> Iterator[str]:
    """A new name."""
    number = secrets.randbelow(_NUMBERS)
    while not _try_lock(number):
        number = secrets.randbelow(_NUMBERS)
    try:
        yield f"{number:x}"
    finally:
        _unlock(number)


@contextmanager
def taken_if_free(name: str) -> Iterator[bool]:
    """Hold this name for a while; whether nobody else goes by it."""
    number = int(name, 16)
    is_ours = _try_lock(number)
    try:
        yield is_ours
    finally:
        if is_ours:
            _unlock(number)


def _try_lock(number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, number])
        return bool(cursor.fetchone()[0])


def _unlock(number: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, number])
    except (OperationalError, InterfaceError):
        pass  # it went with the connection
