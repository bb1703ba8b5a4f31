"""How a child process is born, recognised and ended, so that none outlives its owner."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

from hosting.engines.accounts import Account, identity

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
PRIVATE = 0o077  # what our processes write is readable by their own account alone


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A hook for the new process: the kernel sends it ``number`` when its parent is gone.

    Linux only. The kernel forgets the wish on a change of user, so it is made after that, in the
    child; and it counts the parent *thread*, so children are born in the main thread.
    """
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask() -> None:
        # Until its exec the child has its parent's handler, which would swallow the signal.
        signal.signal(number, signal.SIG_DFL)
        libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return ask


def spawn(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: int | IO[bytes],
    account: Account | None = None,
    inherits: Sequence[int] = (),
    on_orphaned: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that a terminal's Ctrl-C doesn't reach it.

    ``inherits`` lists file descriptors that stay open in it; ``account`` is whom it runs as.
    """
    return subprocess.Popen(  # noqa: S603 -- our own programs and arguments
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
        pass_fds=inherits,
        umask=PRIVATE,
        **identity(account),
        preexec_fn=die_with_parent(on_orphaned),
    )


def find_ours(pid: int, program: str, argument: str) -> psutil.Process | None:
    """The process ``pid`` when it really is ``program`` running with ``argument``.

    A number from a pid file may belong to a stranger by now: a process is ours only when its own
    command line names our folder.
    """
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return None
    if not command or Path(command[0]).name != program:
        return None
    return process if argument in command else None


def end(process: psutil.Process, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal and wait its seconds, until the process is gone; whether it is."""
    for number, seconds in signals:
        try:
            process.send_signal(number)
            process.wait(timeout=seconds)
        except psutil.NoSuchProcess:
            return True
        except psutil.TimeoutExpired:
            continue
        return True
    return not process.is_running()
