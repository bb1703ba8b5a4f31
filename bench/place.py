"""Where the measuring happens: an instance of its own, in a folder that goes away."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import django

from bench.servers import Server, check_own, running
from hosting.supervisor.listener import listen_together
from hosting.supervisor.web_processes import WebProcesses
from tests.instance import Instance, running_instance

# Of engines that the shell may know: the bench measures its own instance only.
_FOREIGN = ("DATABASE_URL", "REDIS_URL", "LONGWAVE_BASE_URL", "LONGWAVE_SECRET_KEY")


@contextmanager
def longwave() -> Iterator[tuple[Instance, Server]]:
    """A whole instance with one web process, whose data this process's Django then uses as well.

    It believes the load generator's X-Forwarded-For, as it would a proxy's: each connection is
    a listener of its own.
    """
    options = ("--no-demo", "--web-processes=1", "--web-server=uvicorn")
    with running_instance(*options, LONGWAVE_TRUSTED_PROXIES="127.0.0.0/8") as instance:
        for name in _FOREIGN:
            os.environ.pop(name, None)
        os.environ["LONGWAVE_DATA"] = str(instance.data)
        os.environ["LONGWAVE_BASE_URL"] = instance.origin
        os.environ["DJANGO_SETTINGS_MODULE"] = "hosting.settings"
        django.setup()
        engines = tuple(map(instance.find, ("valkey", "postgres", "counter")))
        web = tuple(instance.find_all("web"))
        try:
            yield instance, check_own(Server("Longwave", instance.port, web, engines))
        finally:
            _close_connections()


def _close_connections() -> None:
    from django.db import connection
    from django.db.backends.postgresql.base import DatabaseWrapper  # needs the settings

    connection.close()
    if isinstance(connection, DatabaseWrapper):
        connection.close_pool()


@contextmanager
def more_web(
    instance: Instance,
    name: str,
    *,
    processes: int = 1,
    server: str = "uvicorn",
    **environment: str,
) -> Iterator[Server]:
    """Further web processes of the instance, made as its supervisor makes them."""
    engines = tuple(map(instance.find, ("valkey", "postgres", "counter")))
    own = instance.find("web").environ() | environment
    with ExitStack() as stack:
        listeners = listen_together("127.0.0.1", 0, processes)
        stack.enter_context(closing(webs := WebProcesses(listeners)))
        programs = webs.programs(server, {})
        inherits = {descriptor for program in programs for descriptor in program.inherits}
        found = stack.enter_context(
            running(
                [program.command for program in programs],
                own,
                int(listeners[0].getsockname()[1]),
                name,
                inherits=sorted(inherits),
            )
        )
        yield replace(found, beside=engines)
