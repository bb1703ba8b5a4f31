"""The life of one engine process: clear what is left, spawn, wait until ready, stop."""

import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import psutil

from hosting.engines.accounts import Account
from hosting.engines.errors import InstanceError
from hosting.engines.ports import free_port, is_listening
from hosting.engines.processes import end, spawn

# Secrets of the web application have no business in an engine's environment.
_INHERITED = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
START_SECONDS = 300  # replaying a long log after a crash takes minutes, not seconds
_PORT_TRIES = 3


class Engine(ABC):
    """One server process on one port; the port stays the same for the life of this object."""

    name: str
    stop_signals: Sequence[tuple[signal.Signals, float]]
    account: Account | None = None

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.log = log
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def prepare(self) -> None:
        """Make the folder if it is new, and end what an earlier instance left running."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    def spawn(self) -> subprocess.Popen[bytes]:
        self.prepare()
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        with self.log.open("ab") as output:
            self.process = spawn(
                self.command(),
                cwd=self.folder,
                env={**inherited, "LC_ALL": "C"},
                output=output,
                account=self.account,
                on_orphaned=self.stop_signals[0][0],
            )
        return self.process

    def start(self) -> None:
        """Spawn and wait until ready; another port is tried when somebody took ours meanwhile."""
        for _ in range(_PORT_TRIES):
            self.spawn()
            if self._becomes_ready():
                return
            if not is_listening(self.port):
                break
            self.port = free_port()
        raise InstanceError(f"{self.name} did not start. Its last words:\n{_tail(self.log)}")

    def _becomes_ready(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.is_alive() and time.monotonic() < deadline:
            if self.is_ready():
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End the process: first politely, then not."""
        if self.process is None or self.process.poll() is not None:
            return
        end(psutil.Process(self.process.pid), self.stop_signals)
        self.process.wait()


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
