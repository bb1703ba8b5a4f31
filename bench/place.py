"""Where the measuring happens: an instance and peers of its own, in a folder that goes away."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
import httpx2
import psutil

from bench.peers import nginx
from hosting.engines.processes import spawn
from tests.instance import PROJECT, Instance, free_port, running_instance, wait_for

# Of engines that the shell may know: the bench measures its own instance only.
_FOREIGN = ("DATABASE_URL", "REDIS_URL", "LONGWAVE_BASE_URL", "LONGWAVE_SECRET_KEY")


@dataclass(frozen=True, slots=True)
class Server:
    """Something under load: where it answers, and whose CPU it uses."""

    name: str
    port: int
    process: psutil.Process  # the one that answers, its children included
    beside: tuple[psutil.Process, ...] = ()  # engines that work for it

    def cpu_seconds(self) -> float:
        """What answering has cost so far."""
        return _cpu_seconds(self.process)

    def cpu_seconds_beside(self) -> float:
        """What the engines have cost so far."""
        return sum(map(_cpu_seconds, self.beside))


def _cpu_seconds(process: psutil.Process) -> float:
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@contextmanager
def longwave() -> Iterator[tuple[Instance, Server]]:
    """A whole instance, whose data this process's Django then uses as well.

    It believes the load generator's X-Forwarded-For, as it would a proxy's: each connection is
    a listener of its own.
    """
    with running_instance(LONGWAVE_TRUSTED_PROXIES="127.0.0.0/8") as instance:
        for name in _FOREIGN:
            os.environ.pop(name, None)
        os.environ["LONGWAVE_DATA"] = str(instance.data)
        os.environ["LONGWAVE_BASE_URL"] = instance.origin
        os.environ["DJANGO_SETTINGS_MODULE"] = "hosting.settings"
        django.setup()
        engines = tuple(map(instance.find, ("valkey", "postgres", "counter")))
        try:
            yield instance, Server("Longwave", instance.port, instance.find("web"), engines)
        finally:
            _close_connections()


def _close_connections() -> None:
    from django.db import connection
    from django.db.backends.postgresql.base import DatabaseWrapper  # needs the settings

    connection.close()
    if isinstance(connection, DatabaseWrapper):
        connection.close_pool()


@contextmanager
def plain_django(module: str, name: str, files: Path | None = None) -> Iterator[Server]:
    """One of the applications in `bench.peers` behind uvicorn."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        port = int(listener.getsockname()[1])
        descriptor = listener.fileno()
        command = [sys.executable, "-m", "bench.peers", f"bench.peers.{module}:application"]
        environment = os.environ | {"BENCH_FILES": str(files or "")}
        with _running(
            [*command, str(descriptor)], environment, port, name, inherits=(descriptor,)
        ) as server:
            listener.close()  # a peer that ends must refuse connections, not let them wait
            yield server


@contextmanager
def nginx_or_none(files: Path) -> Iterator[Server | None]:
    """nginx on a configuration of its own, when this machine has one."""
    program = nginx.find_nginx()
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="longwave-nginx-") as folder:
        port = free_port()
        config = nginx.write_config(Path(folder), port=port, files=files)
        with _running(nginx.command(program, config), os.environ, port, "nginx") as server:
            yield server


@contextmanager
def _running(
    command: Sequence[str],
    environment: Mapping[str, str],
    port: int,
    name: str,
    *,
    inherits: Sequence[int] = (),
) -> Iterator[Server]:
    with tempfile.TemporaryFile() as output:
        process = spawn(command, cwd=PROJECT, env=environment, output=output, inherits=inherits)

        def answers() -> bool:
            if process.poll() is not None:
                output.seek(0)
                raise RuntimeError(f"{name} ended:\n{output.read().decode(errors='replace')}")
            httpx2.get(f"http://127.0.0.1:{port}/", timeout=2)
            return True  # whatever it is: nothing is at this address

        try:
            wait_for(answers, seconds=30, what=f"the start of {name}")
            yield Server(name, port, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(20)
