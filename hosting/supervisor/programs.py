"""Which programs make up an instance beside its engines, and how each is asked to stop."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from hosting.engines.processes import spawn

PROJECT = Path(__file__).resolve().parents[2]
Signals = Sequence[tuple[signal.Signals, float]]

_POLITE: Signals = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))
# Warm, then cold: Celery gives a job it drops in a cold stop to the next worker.
_WORKER: Signals = ((signal.SIGTERM, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    stop_signals: Signals = _POLITE
    inherits: Sequence[int] = ()
    niceness: int = 0

    def spawn(self) -> subprocess.Popen[bytes]:
        process = spawn(
            self.command,
            cwd=PROJECT,
            env={**os.environ, **self.environment, "PYTHONUNBUFFERED": "1"},
            output=subprocess.PIPE,
            inherits=self.inherits,
        )
        if self.niceness:
            psutil.Process(process.pid).nice(self.niceness)
        return process


_CELERY = [sys.executable, "-m", "celery", "--quiet", "--app", "hosting.celery"]


def manage(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


@dataclass(frozen=True)
class WebProcess:
    """What one of several web processes is given: descriptors of sockets, and of a pipe's end."""

    name: str
    listener: int
    neighbours: Sequence[int]
    readiness: int


def web(process: WebProcess, server: str, environment: Mapping[str, str]) -> Program:
    command = [sys.executable, "-m", "hosting.web", "--server", server]
    command += ["--fd", str(process.listener), "--ready-fd", str(process.readiness)]
    command += [f"--neighbour-fd={descriptor}" for descriptor in process.neighbours]
    inherits = (process.listener, process.readiness, *process.neighbours)
    return Program(process.name, command, environment, inherits=inherits)


def development_web(host: str, port: int, environment: Mapping[str, str]) -> Program:
    """Daphne behind ``runserver``; our own watcher restarts it, so Django's stays off."""
    return Program("web", manage("runserver", "--noreload", f"{host}:{port}"), environment)


def worker(processes: int, environment: Mapping[str, str]) -> Program:
    """Jobs. Less urgent for the system than the answers of the web."""
    command = [*_CELERY, "worker", "--loglevel", "INFO", "--concurrency", str(processes)]
    command += ["--without-gossip", "--without-mingle"]
    return Program("worker", command, environment, stop_signals=_WORKER, niceness=5)


def clock(data: Path, environment: Mapping[str, str]) -> Program:
    """What asks for periodic jobs; not inside the worker, which would not notice its death."""
    command = [*_CELERY, "beat", "--schedule", str(data / "celerybeat-schedule"), "--pidfile="]
    return Program("clock", command, environment)


def counter(environment: Mapping[str, str]) -> Program:
    return Program("counter", manage("count"), environment)


def suitable_worker_processes() -> int:
    """At least three: neither an encoding nor slow receivers of webhooks hold up what is due."""
    return max(3, (os.cpu_count() or 1) // 2 + 1)
