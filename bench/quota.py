"""So much of a CPU and no more, for each of several processes: by the kernel's control groups."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

_V1 = Path("/sys/fs/cgroup/cpu")
_V2 = Path("/sys/fs/cgroup")
_PERIOD_US = 10_000  # short, so that whoever has used up its part is at it again soon


def _hierarchy() -> Path | None:
    """Where groups with a share of the CPU can be made; None without the right to."""
    if (_V1 / "cpu.cfs_quota_us").exists() or (_V1 / "cpu.cfs_period_us").exists():
        found = _V1
    elif "cpu" in _read(_V2 / "cgroup.subtree_control").split():
        found = _V2
    else:
        return None
    return found if os.access(found, os.W_OK) else None


def is_possible() -> bool:
    """On Linux, for who may make control groups."""
    return _hierarchy() is not None


@contextmanager
def limited(processes: Sequence[psutil.Process], share: float) -> Iterator[None]:
    """Each of them gets at most this share of one CPU, with all its threads. Raises OSError."""
    hierarchy = _hierarchy()
    if hierarchy is None:
        raise OSError("there are no control groups to limit a process by")
    with ExitStack() as stack:
        for process in processes:
            stack.enter_context(_limited(hierarchy, process.pid, share))
        yield


@contextmanager
def _limited(hierarchy: Path, pid: int, share: float) -> Iterator[None]:
    home = _home(hierarchy, pid)
    group = hierarchy / f"longwave-bench-{pid}"
    group.mkdir()
    try:
        quota = round(share * _PERIOD_US)
        if hierarchy == _V1:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with suppress(OSError):  # it has ended
            (home / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _home(hierarchy: Path, pid: int) -> Path:
    """The group that a process is in."""
    for line in _read(Path(f"/proc/{pid}/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == ("" if hierarchy == _V2 else "cpu") or "cpu" in controllers.split(","):
            return hierarchy / path.lstrip("/")
    return hierarchy


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
