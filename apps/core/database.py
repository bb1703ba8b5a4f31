"""Reading the database from the data plane, which has none of Django's request signals."""

from collections.abc import Callable

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections


async def in_database[**P, R](query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a sync function with a connection of its own, given back when it is done.

    Without the context all such calls of a process would queue for one thread; without the
    closing, connections would neither return to the pool nor survive a restart of the server.
    """

    def run() -> R:
        _give_back_connections()
        try:
            return query(*args, **kwargs)
        finally:
            _give_back_connections()

    async with ThreadSensitiveContext():
        return await sync_to_async(run)()


def _give_back_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # a caller's transaction is the caller's to end
            connection.close_if_unusable_or_obsolete()
