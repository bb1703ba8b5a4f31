"""Processes that an instance started and, when it was killed, could not stop itself."""

import contextlib
import json
import signal
from pathlib import Path

import psutil

from hosting.engines.folder import write_private
from hosting.engines.processes import end
from hosting.supervisor.keeper import kill_group


class Register:
    """Who runs now, on disk: a number alone may be another process by the next start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, tuple[int, float]] = {}

    def note(self, name: str, pid: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._known[name] = (pid, psutil.Process(pid).create_time())
            write_private(self.path, json.dumps(self._known))

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def end_leftovers(path: Path) -> list[str]:
    """End what the register names and is still the same process; the names of those ended."""
    try:
        known = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return []
    ended = []
    for name, (pid, created) in known.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                end(process, ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)))
                kill_group(pid)
                ended.append(name)
    path.unlink(missing_ok=True)
    return ended
