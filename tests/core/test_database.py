"""Queries from the data plane: many at once, nothing kept, and a restarted server is no matter."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from apps.core.database import in_database
from tests.instance import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 30


def query() -> int:
    """What a query answers, told by the process of the server that answered."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    return int(backend)


def on_a_server(count: int, query: Callable[[], int] = query) -> list[int]:
    """Run queries at once on an event loop of its own, as a web server does."""

    async def run() -> list[int]:
        return await asyncio.gather(*(in_database(query) for _ in range(count)))

    results: list[int] = []
    thread = threading.Thread(target=lambda: results.extend(asyncio.run(run())))
    thread.start()
    thread.join(30)
    return results


@pytest.fixture
def pool() -> ConnectionPool:
    found = connection.pool  # type: ignore[attr-defined]
    assert isinstance(found, ConnectionPool)
    return found


def in_use(pool: ConnectionPool) -> int:
    stats = pool.get_stats()
    return stats["pool_size"] - stats["pool_available"]


def test_every_connection_is_given_back(pool: ConnectionPool) -> None:
    before = in_use(pool)
    assert len(on_a_server(MANY)) == MANY
    # The pool tidies up in a thread of its own.
    wait_for(lambda: in_use(pool) == before, what="the return of every connection")


def test_queries_do_not_queue_for_one_thread() -> None:
    together = threading.Barrier(3, timeout=10)

    def meet() -> int:
        together.wait()  # passes only when three are here at the same time
        return query()

    assert len(on_a_server(3, meet)) == 3


def test_a_restart_of_the_server_costs_no_query() -> None:
    on_a_server(4)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert len(on_a_server(4)) == 4
