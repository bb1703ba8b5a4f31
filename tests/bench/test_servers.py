"""What is measured is what was started, and all of its memory."""

import socket
import subprocess
import sys

import psutil
import pytest

from bench.memory import Watch
from bench.servers import Server, check_own


def test_a_port_of_somebody_else_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ours = Server("ours", port, (psutil.Process(),))
        assert check_own(ours) is ours
        other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        with other, pytest.raises(RuntimeError, match=f"port {port}"):
            check_own(Server("theirs", port, (psutil.Process(other.pid),)))


_HOLDER = """
import sys
for step in ("held = bytearray(b'x' * 60_000_000)", "del held"):
    sys.stdin.readline()
    exec(step)
    print("done", flush=True)
sys.stdin.readline()
"""


def test_growth_is_from_the_beginning_to_the_peak() -> None:
    """Of another process: this one may free what earlier tests left at any moment."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        watch = Watch(Server("ours", 0, (psutil.Process(holder.pid),)))
        for _ in range(2):
            holder.stdin.write("go\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "done\n"
            watch.look()
        holder.stdin.close()
    assert watch.growth.rss > 50_000_000
    assert watch.growth.uss > 50_000_000
