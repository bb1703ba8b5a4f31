"""Reading the database from the data plane, which has none of Django's request signals."""

from collections.abc import Callable

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections


async def in_database[**P, R](query: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a sync function with a connection of its own, given back when it is done.

    Without the context all such calls of a process would queue for one thread; without the
    closing, connections would neither return to the pool nor survive a restart of the server.
    """

    def run() -> R:
        close_old_connections()
        try:
            return query(*args, **kwargs)
        finally:
            close_old_connections()

    async with ThreadSensitiveContext():
        return await sync_to_async(run)()
