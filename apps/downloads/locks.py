"""Locks that counters queue behind: whoever wants one gives up before they wait for long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

# A batch takes well under a second; an import of history, or a backup, may take hours.
PATIENCE = "10s"

_SET = "SELECT set_config('lock_timeout', %s, true)"


class BusyError(Exception):
    """Somebody works on the counts for longer; nothing of what was wanted is done."""


@contextmanager
def waiting_briefly() -> Iterator[None]:
    """Within, and within a transaction, raise BusyError where a lock is not to be had soon."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        before = cursor.fetchone()[0]
        cursor.execute(_SET, [PATIENCE])
        try:
            yield
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise BusyError("An import or a backup is at work: try again after it.") from error
            raise
        cursor.execute(_SET, [before])
