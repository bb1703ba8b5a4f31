"""Jobs that misbehave inside the sandbox, each in its own way."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from apps.media.child.main import Report
from apps.media.refusals import FileRefusedError

Arguments = dict[str, Any]


def describe(arguments: Arguments, report: Report) -> dict[str, Any]:
    print("noise that is no JSON")
    for step in (0.0, 0.5, 0.2, 0.501, 1.0):
        report(step)
    return {
        "echo": arguments,
        "environment": dict(os.environ),
        "stdin": sys.stdin.read(),
        "nice": os.nice(0),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "files": sorted(os.listdir("/proc/self/fd")),  # noqa: PTH208
    }


def refuse(arguments: Arguments, report: Report) -> dict[str, Any]:
    raise FileRefusedError("code", "A sentence.")


def sleep(arguments: Arguments, report: Report) -> dict[str, Any]:
    Path(arguments["pid_file"]).write_text(f"{os.getpid()}\n")
    report(0.5)
    time.sleep(600)
    return {}


def sleep_with_a_grandchild(arguments: Arguments, report: Report) -> dict[str, Any]:
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(arguments["pid_file"]).write_text(f"{grandchild.pid}\n")
    return sleep({"pid_file": os.devnull}, report)


def leave_a_grandchild(arguments: Arguments, report: Report) -> dict[str, Any]:
    grandchild = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
    )
    return {"pid": grandchild.pid}


def spin(arguments: Arguments, report: Report) -> dict[str, Any]:
    while True:
        pass


def allocate(arguments: Arguments, report: Report) -> dict[str, Any]:
    return {"length": len(bytearray(4 << 30))}


def crash(arguments: Arguments, report: Report) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def fail(arguments: Arguments, report: Report) -> dict[str, Any]:
    raise RuntimeError("unexpected")


def vanish(arguments: Arguments, report: Report) -> dict[str, Any]:
    os._exit(0)


def flood(arguments: Arguments, report: Report) -> dict[str, Any]:
    return {"data": "x" * (64 << 20)}


def complain(arguments: Arguments, report: Report) -> dict[str, Any]:
    for _ in range(1000):
        print("x" * 10_000, file=sys.stderr)
    return {"done": True}


def write_much(arguments: Arguments, report: Report) -> dict[str, Any]:
    Path(arguments["path"]).write_bytes(b"x" * 5_000_000)
    return {}


def open_many(arguments: Arguments, report: Report) -> dict[str, Any]:
    return {"open": [os.open("/dev/null", os.O_RDONLY) for _ in range(100)]}
