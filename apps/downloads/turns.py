"""Names for the stream's consumers: each is one living process's, and nobody's once that died.

A name is a PostgreSQL advisory lock, which ends with the database connection, even by a kill.
Should a connection die while its process lives, the compare-and-set of the position keeps the
process from counting in the name of another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from django.db import InterfaceError, OperationalError, connection

# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x436E7472


@contextmanager
def taken() -> Iterator[str]:
    """The first free name."""
    number = next(number for number in count() if _try_lock(number))
    try:
        yield str(number)
    finally:
        _unlock(number)


@contextmanager
def taken_if_free(name: str) -> Iterator[bool]:
    """Hold this name for a while; whether nobody else goes by it."""
    is_ours = name.isdecimal() and _try_lock(int(name))
    try:
        yield is_ours
    finally:
        if is_ours:
            _unlock(int(name))


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
