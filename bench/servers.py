"""Whatever is put under load: a process that was started for it, on a port that is its alone."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

from bench.load.job import Job, Outcome
from bench.peers import nginx
from hosting.engines.ports import is_listening
from hosting.engines.processes import spawn
from tests.instance import PROJECT, free_port, wait_for

PEERS_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Server:
    """Something under load: where it answers, and whose CPU and memory it uses."""

    name: str
    port: int
    processes: tuple[psutil.Process, ...]  # those that answer; their children belong to them
    beside: tuple[psutil.Process, ...] = ()  # engines that work for it
    sent: list[tuple[Job, Outcome]] = field(default_factory=list)  # all that was asked of it

    def family(self) -> list[psutil.Process]:
        """Every process that answers."""
        return _with_children(self.processes)

    def cpu_seconds(self) -> float:
        """What answering has cost so far."""
        return _cpu_seconds(self.processes)

    def cpu_seconds_beside(self) -> float:
        """What the engines have cost so far."""
        return _cpu_seconds(self.beside)


def _with_children(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in processes:
        try:
            found += [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return found


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for one in _with_children(processes):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def check_own(server: Server) -> Server:
    """The same server, if it is really this one that answers there; raises RuntimeError."""
    for process in server.family():
        for connection in process.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == server.port:
                return server
    raise RuntimeError(f"somebody else than {server.name} listens on port {server.port}")


@contextmanager
def plain_app(
    module: str,
    name: str,
    files: Path | None = None,
    *,
    python: Path = Path(sys.executable),
    on_daphne: bool = False,
) -> Iterator[Server]:
    """One of the applications in `bench.peers`, behind uvicorn or stock Daphne."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(4096)
        port, descriptor = int(listener.getsockname()[1]), listener.fileno()
        application = f"bench.peers.{module}:application"
        command = [str(python), "-m", "bench.peers", application, str(descriptor)]
        if on_daphne:
            command = [str(python), "-m", "daphne", "-v0", f"--fd={descriptor}", application]
        environment = os.environ | {"BENCH_FILES": str(files or "")}
        with running([command], environment, port, name, inherits=(descriptor,)) as server:
            listener.close()  # a peer that ends must refuse connections, not let them wait
            yield server


@contextmanager
def nginx_or_none(files: Path) -> Iterator[Server | None]:
    """nginx on a configuration of its own, when this machine has one."""
    program = nginx.find_nginx()
    if program is None:
        sys.stderr.write("There is no nginx on the PATH: it is left out\n")
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="longwave-nginx-") as folder:
        port = free_port()
        if is_listening(port):
            raise RuntimeError(f"port {port} is served by somebody else")
        config = nginx.write_config(Path(folder), port=port, files=files)
        with running([nginx.command(program, config)], os.environ, port, "nginx") as server:
            yield server


@contextmanager
def running(
    commands: Sequence[Sequence[str]],
    environment: Mapping[str, str],
    port: int,
    name: str,
    *,
    inherits: Sequence[int] = (),
) -> Iterator[Server]:
    """Processes that answer on one port, ended afterwards."""
    with tempfile.TemporaryFile() as output:
        processes = [
            spawn(command, cwd=PROJECT, env=environment, output=output, inherits=inherits)
            for command in commands
        ]

        def answers() -> bool:
            if any(process.poll() is not None for process in processes):
                output.seek(0)
                raise RuntimeError(f"{name} ended:\n{output.read().decode(errors='replace')}")
            httpx2.get(f"http://localhost:{port}/healthz", timeout=2)
            return True  # whatever it is: peers have nothing at this address

        try:
            wait_for(answers, seconds=30, what=f"the start of {name}")
            found = tuple(psutil.Process(process.pid) for process in processes)
            yield check_own(Server(name, port, found))
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)
