"""How a child process binds its own hands before it looks at a file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_POLITENESS = 10
# Between SIGXCPU, which the parent can tell from a crash, and SIGKILL.
_CPU_GRACE_SECONDS = 2


def confine(limits: dict[str, Any], parent: int) -> None:
    """Apply the limits for good: a soft limit equals its hard one, so nothing can raise it."""
    _die_with(parent)
    cpu = int(limits["cpu_seconds"])
    _limit(resource.RLIMIT_CPU, cpu, cpu + _CPU_GRACE_SECONDS)
    _limit(resource.RLIMIT_NOFILE, int(limits["open_files"]))
    _limit(resource.RLIMIT_FSIZE, int(limits["written_bytes"]))
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        _limit(resource.RLIMIT_AS, int(limits["memory_bytes"]))
    os.umask(0o077)
    with contextlib.suppress(OSError):
        os.nice(_POLITENESS)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    ceiling = resource.getrlimit(kind)[1]
    wanted = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        wanted = min(wanted, ceiling)
    resource.setrlimit(kind, (min(soft, wanted), wanted))


def _die_with(parent: int) -> None:
    """A killed worker can't clean up: the kernel does it (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the request was in place
        os._exit(1)
