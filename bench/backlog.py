"""Waiting for counter and PostgreSQL, so that no measurement runs beside work of an earlier one."""

import time

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from apps.core import valkey
from apps.downloads import stream
from bench.load.bodies import FaultError

PATIENCE_SECONDS = 120
TIDYING_SECONDS = 600


def wait_until_counted() -> None:
    """Until journals and stream are empty: what is committed is taken out of the stream."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _is_shipped() or valkey.connection().xlen(stream.name()):
        if time.monotonic() > deadline:
            raise FaultError(f"the hits were not counted within {PATIENCE_SECONDS} s")
        time.sleep(0.05)


# What autovacuum would sooner or later find.
_UNTIDY = """
SELECT relid::regclass FROM pg_stat_user_tables
WHERE schemaname = 'public' AND (
    n_ins_since_vacuum > 100000 OR n_dead_tup > 100000 OR n_mod_since_analyze > 100000
)
"""
_TIDYING = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"


def wait_until_tidy() -> None:
    """Vacuum what earlier measurements left, and wait until PostgreSQL does none of it by itself.

    A measurement beside the tidying of ten million rows would measure that.
    """
    deadline = time.monotonic() + TIDYING_SECONDS
    with connection.cursor() as cursor:
        cursor.execute(_UNTIDY)
        for (table,) in cursor.fetchall():
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        while _ask(cursor, _TIDYING):
            if time.monotonic() > deadline:
                raise FaultError(f"PostgreSQL was not tidy within {TIDYING_SECONDS} s")
            time.sleep(0.5)


def _ask(cursor: CursorWrapper, query: str) -> int:
    cursor.execute(query)
    (found,) = cursor.fetchone() or (0,)
    return int(found)


def _is_shipped() -> bool:
    for file in settings.SPOOL_ROOT.glob("*.journal"):
        try:
            size = file.stat().st_size
        except FileNotFoundError:  # it was, and is done with
            continue
        if int(valkey.connection().get(valkey.key("spool", file.name)) or 0) < size:
            return False
    return True
