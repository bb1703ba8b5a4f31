"""A whole running instance for tests that look at Longwave from outside."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil

from tests.ready_data import copy_ready_data

PROJECT = Path(__file__).resolve().parents[1]
# Of the engines on which these tests themselves run: an instance starts its own.
_NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "LONGWAVE_DATA",
    "LONGWAVE_BASE_URL",
    "LONGWAVE_SECRET_KEY",
    "DJANGO_SETTINGS_MODULE",
)
# What tells an instance's processes apart on their command lines.
SIGNS = {
    "web": "hosting.web",
    "worker": "worker",
    "clock": "beat",
    "counter": "count",
    "valkey": "valkey-server",
    "postgres": "postgres",
}


def wait_for[T](found: Callable[[], T | None], *, seconds: float = 60, what: str = "") -> T:
    """The first true value; an exception meanwhile counts as not yet."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            if value := found():
                return value
            last = value
        except (httpx2.HTTPError, psutil.Error, OSError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what or found} did not come true within {seconds} s: {last!r}")


def free_port() -> int:
    """A TCP port on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """A ``manage.py serve`` on a folder and a port of its own."""

    def __init__(
        self, data: Path, environment: dict[str, str], options: tuple[str, ...] = ()
    ) -> None:
        self.data = data
        self.port = free_port()
        self.origin = f"http://localhost:{self.port}"
        self.options = options  # of serve; like the environment they hold from the next start on
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        environment = {k: v for k, v in os.environ.items() if k not in _NOT_INHERITED}
        environment.pop("PYTEST_CURRENT_TEST", None)
        command = [sys.executable, "manage.py", "serve"]
        command += [f"--port={self.port}", f"--data={self.data}", *self.options]
        self._log = (self.data.parent / "serve.log").open("ab")
        self._log_begins = self._log.tell()
        self.process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment | self.environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self._is_up, seconds=300, what="the instance's start")

    def _is_up(self) -> bool:
        assert self.process is not None
        status = self.process.poll()
        if status is not None:
            raise AssertionError(f"serve ended with {status}:\n{self.log()[-4000:]}")
        return "Longwave is ready" in self.log() and self.is_healthy()

    def log(self) -> str:
        """All that the instance has printed since it was started last."""
        with (self.data.parent / "serve.log").open("rb") as file:
            file.seek(self._log_begins)
            return file.read().decode(errors="replace")

    def is_healthy(self) -> bool:
        """Whether the web process reaches its engines."""
        return httpx2.get(f"{self.origin}/healthz", timeout=5).status_code == 200

    def password_of(self, email: str) -> str:
        """The password of a demo log-in."""
        people = json.loads((self.data / "demo.json").read_text())["people"]
        return next(str(p["password"]) for p in people if p["email"] == email)

    def find(self, name: str) -> psutil.Process:
        """The first process of this instance with that part: see SIGNS."""
        for found in self.find_all(name):
            return found
        raise psutil.NoSuchProcess(0, f"no {name}")

    def find_all(self, name: str) -> list[psutil.Process]:
        """Every process of this instance with that part."""
        assert self.process is not None
        sign = SIGNS[name]
        children = psutil.Process(self.process.pid).children()
        return [one for one in children if any(part.endswith(sign) for part in one.cmdline())]

    def kill(self, name: str) -> None:
        """``kill -9`` one of its processes, and wait until another has taken its place."""
        victim = self.find(name)
        victim.send_signal(signal.SIGKILL)
        wait_for(lambda: self.find(name).pid != victim.pid, what=f"another {name}")

    def stop(self) -> int:
        """Stop as Ctrl-C does; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(60)
        finally:
            self._log.close()
        return status


@contextmanager
def running_instance(*options: str, **environment: str) -> Iterator[Instance]:
    """An instance, ended and removed afterwards; ``--no-demo`` makes it start in half the time.

    With the demo it begins with data that an earlier one made with the settings of a plain
    installation: for what is about first starts or about a bucket there is ``new_instance``.
    """
    with _room_for_an_instance() as folder:
        if "--no-demo" not in options:
            copy_ready_data(folder / "data", make=lambda: _data_of_a_first_start(folder / "first"))
        with _started(Instance(folder / "data", environment, options)) as instance:
            yield instance


@contextmanager
def new_instance(*options: str, **environment: str) -> Iterator[Instance]:
    """The same on a folder that isn't there yet."""
    with (
        _room_for_an_instance() as folder,
        _started(Instance(folder / "data", environment, options)) as instance,
    ):
        yield instance


@contextmanager
def _started(instance: Instance) -> Iterator[Instance]:
    try:
        instance.start()
        yield instance
    finally:
        if instance.process is not None and instance.process.poll() is None:
            instance.stop()


@contextmanager
def _room_for_an_instance() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="longwave-instance-"))
    folder.chmod(0o711)  # PostgreSQL's own account must be able to pass
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _data_of_a_first_start(folder: Path) -> Path:
    """A folder that a plain instance has left, without the feeds that name its own port."""
    folder.mkdir(mode=0o711)
    with _started(Instance(folder / "data", {})) as instance:
        assert instance.stop() == 0, instance.log()
    shutil.rmtree(instance.data / "valkey")  # they are rendered anew elsewhere
    return instance.data
