"""How one process is kept running: restarted when it dies, later each time, until told to stop."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from hosting.supervisor.output import Output

_POLL_SECONDS = 0.1
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_HEALTHY_AFTER = 30.0


class Kept(Protocol):
    """What a keeper needs to know of an engine or a program."""

    @property
    def name(self) -> str: ...

    @property
    def stop_signals(self) -> Sequence[tuple[signal.Signals, float]]: ...

    def spawn(self) -> subprocess.Popen[bytes]: ...


class Keeper:
    def __init__(
        self,
        kept: Kept,
        output: Output,
        *,
        on_spawn: Callable[[str, int], None] | None = None,
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.kept = kept
        self.output = output
        self.process = process
        self.failures = 0  # in a row
        self._on_spawn = on_spawn
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._restarting = False

    async def run(self) -> None:
        while not self._stopping.is_set():
            since = time.monotonic()
            status = await self._run_once()
            if self._stopping.is_set():
                return
            if self._restarting:
                self._restarting = False
                continue
            lived = time.monotonic() - since
            self.failures = 1 if lived >= _HEALTHY_AFTER else self.failures + 1
            delay = min(_FIRST_DELAY * 2 ** (self.failures - 1), _LONGEST_DELAY)
            self.output.say(
                f"{self.kept.name} ended ({described(status)}): starting it again in {delay:g} s"
            )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), delay)
            self._wake.clear()

    async def stop(self, hurry: asyncio.Event) -> None:
        """End the process and all of its group; ``hurry`` cuts every patience short."""
        self._stopping.set()
        self._wake.set()
        await self._end(hurry)

    async def restart(self) -> None:
        """Now, also when it was waiting for its next try."""
        self.failures = 0
        self._restarting = self.process is not None
        if not self._restarting:
            self._wake.set()
        await self._end(asyncio.Event())

    async def _run_once(self) -> int | None:
        if self.process is None:
            try:
                self.process = self.kept.spawn()
            except Exception as error:  # whatever it is, the other processes go on
                self.output.say(f"{self.kept.name} could not be started: {error}")
                return None
            if self._on_spawn:
                self._on_spawn(self.kept.name, self.process.pid)
        process = self.process
        pump = asyncio.create_task(self.output.pump(process.stdout)) if process.stdout else None
        status = await ended(process)
        kill_group(process.pid)  # what it had started itself
        if pump:
            await asyncio.wait([pump], timeout=1)
            pump.cancel()
        self.process = None
        return status

    async def _end(self, hurry: asyncio.Event) -> None:
        process = self.process
        if process is None:
            return
        for number, seconds in self.kept.stop_signals:
            if process.poll() is None:
                process.send_signal(number)
            deadline = time.monotonic() + seconds
            while process.poll() is None and time.monotonic() < deadline:
                if hurry.is_set() and number != self.kept.stop_signals[-1][0]:
                    break
                await asyncio.sleep(_POLL_SECONDS)
            if process.poll() is not None:
                break
        kill_group(process.pid)


async def ended(process: subprocess.Popen[bytes]) -> int:
    """The status of a process when it has ended.

    Polled: asyncio's own ways to wait need a thread, or Linux, or take SIGCHLD for themselves.
    """
    while (status := process.poll()) is None:  # noqa: ASYNC110 -- nothing tells it to us
        await asyncio.sleep(_POLL_SECONDS)
    return status


def kill_group(leader: int) -> None:
    """Every child leads a group of its own, so what is left in it is ours."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def described(status: int | None) -> str:
    if status is None:
        return "never began"
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
