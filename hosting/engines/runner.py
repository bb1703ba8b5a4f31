"""How a command runs in the foreground beside the engines, with signals passed on to it."""

import os
import signal
import subprocess
import sys
from types import FrameType

from hosting.engines.processes import die_with_parent


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """The command's exit status, or 128 + the signal that ended it, as a shell says it."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        # A terminal has already sent its Ctrl-C to the command, which shares our process group
        # so that it may read from the terminal (a debugger does).
        if number == signal.SIGINT and sys.stdin.isatty():
            return
        if child is None:
            early.append(number)
        else:
            child.send_signal(number)

    # First this: the command may be up, and somebody may know it, before Popen has returned.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    try:
        child = subprocess.Popen(  # noqa: S603 -- running what the caller names is the purpose
            command,
            env={**os.environ, **environment},
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    for missed in early:
        child.send_signal(missed)
    status = child.wait()
    return status if status >= 0 else 128 - status
