"""Whether the code changed since last looked at: for developing, where that means a restart."""

from pathlib import Path

from hosting.supervisor.programs import PROJECT

_ROOMS = ("api", "apps", "frontend", "hosting", "podcasts")
_SUFFIXES = {".py", ".html"}


class Watcher:
    def __init__(self) -> None:
        self._seen = _snapshot()

    def changed(self) -> list[Path]:
        """Files that came, went or were written since the last call."""
        now = _snapshot()
        before, self._seen = self._seen, now
        return sorted(path for path in before | now if before.get(path) != now.get(path))


def _snapshot() -> dict[Path, int]:
    return {
        path: path.stat().st_mtime_ns
        for room in _ROOMS
        for path in (PROJECT / room).rglob("*")
        if path.suffix in _SUFFIXES and path.exists()
    }
