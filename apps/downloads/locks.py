"""The order of locks in counting, and giving up before counters wait for long.

Whoever takes several takes them in this order, so that nobody waits in a circle:

1. *One import of history* (history.py). Nobody waits for it: a second one ends with BusyError.
2. *Counting* (shadow.py), before anything else of a transaction. Whoever adds to totals, opens days
   or destroys them holds it shared; whoever replaces totals, closes a day, or counts batch after
   batch in one transaction holds it alone.
3. *Days* (open_days.py), for making and dropping partitions; then these, in the order of
   partitions.PARTITIONED.
4. *Rows*: coverage, listeners of the day, downloads, totals of hours, days and months, totals of
   listeners, arrivals, sketches, tallies; of each table by one statement, in the order of keys.
   Batches append arrivals, for which nobody waits, and take no sketch; whoever folds arrivals
   (months.py) passes over those that another one is folding.
5. *First days* (first_days.py), then their rows. Whoever holds these waits for nothing more.

Who holds 2 alone may take 3 to 5 in any order: others hold 3 or 5 without 2 only where they take
nothing else. Totals are therefore never locked by two who don't go by 4.
"""

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
