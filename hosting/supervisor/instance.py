"""The life of an instance: claim the folder and the port, start, keep running, stop in order."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from hosting.engines import Engines, InstanceError, claim
from hosting.engines.folder import DataFolder
from hosting.engines.logs import rotate
from hosting.supervisor import programs
from hosting.supervisor.keeper import Keeper
from hosting.supervisor.leftovers import Register, end_leftovers
from hosting.supervisor.listener import listen_together
from hosting.supervisor.output import Output
from hosting.supervisor.preparation import Preparation
from hosting.supervisor.readiness import until_healthy, until_ready, welcome
from hosting.supervisor.watcher import Watcher
from hosting.supervisor.web_processes import WebProcesses

_ROTATE_SECONDS = 60.0
_WATCH_SECONDS = 0.7


@dataclass(frozen=True)
class Options:
    data: Path
    host: str
    port: int
    reload: bool
    demo: bool
    worker_processes: int
    web_processes: int
    web_server: str


def serve(options: Options) -> int:
    """Run an instance until it is told to stop; raises InstanceError when it can't start."""
    for number in _stop_signals():
        signal.signal(number, _leave)
    with claim(options.data) as folder:
        for name in end_leftovers(folder.children):
            sys.stderr.write(f"Ended a {name} process that an earlier instance had left.\n")
        listeners = listen_together(options.host, options.port, options.web_processes)
        with closing(WebProcesses(listeners)) as web, Engines(folder) as engines:
            return asyncio.run(Instance(options, folder, engines, web).run())


class Instance:
    def __init__(
        self, options: Options, folder: DataFolder, engines: Engines, web: WebProcesses
    ) -> None:
        self.options = options
        self.folder = folder
        self.web = web
        self.origin = os.environ.get("LONGWAVE_BASE_URL") or f"http://localhost:{options.port}"
        self.environment = {**engines.environment(), "LONGWAVE_BASE_URL": self.origin}
        if options.reload:
            self.environment["LONGWAVE_DEBUG"] = "1"
        self.longwave = Output(folder, "longwave")
        self.register = Register(folder.children)
        self.engines = [
            Keeper(engine, self.longwave, process=engine.process)
            for engine in engines.engines.values()
        ]
        self.engine_logs = [engine.log for engine in engines.engines.values()]
        self.programs: dict[str, Keeper] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self) -> int:
        """The exit status: 0 after a wished stop, 1 when the instance could not go on."""
        for number in _stop_signals():
            asyncio.get_running_loop().add_signal_handler(number, self._told_to_stop)
        work = asyncio.create_task(self._work())
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        work.cancel()
        stop.cancel()
        [failure, _] = await asyncio.gather(work, stop, return_exceptions=True)
        await self._stop_everything()
        if isinstance(failure, InstanceError):
            self.longwave.say(str(failure))
            return 1
        if isinstance(failure, Exception):
            raise failure
        return 0

    async def _work(self) -> None:
        for keeper in self.engines:
            self._start(keeper.run())
        self._start(self._rotate_engine_logs())
        preparation = Preparation(self.folder, self.environment, self.longwave)
        await preparation.run(static=not self.options.reload, demo=self.options.demo)
        for program in self._chosen_programs():
            keeper = Keeper(program, Output(self.folder, program.name), on_spawn=self.register.note)
            self.programs[program.name] = keeper
            self._start(keeper.run())
        await self._until_answering()
        self.longwave.say(welcome(self.origin, self.folder.root, self.folder.demo))
        if self.options.reload:
            await self._restart_on_changes()
        await asyncio.Event().wait()

    def _chosen_programs(self) -> list[programs.Program]:
        return [
            *self._chosen_web(),
            programs.worker(self.options.worker_processes, self.environment),
            programs.clock(self.folder.root, self.environment),
            programs.counter(self.environment),
        ]

    def _chosen_web(self) -> list[programs.Program]:
        if self.options.reload:
            self.web.close()  # runserver opens its own
            address = self.options.host, self.options.port
            return [programs.development_web(*address, self.environment)]
        return self.web.programs(self.options.web_server, self.environment)

    async def _until_answering(self) -> None:
        if self.options.reload:
            await until_healthy([self.programs["web"]], *self._address())
            return
        webs = [self.programs[name] for name in self.web.names]
        await until_ready(webs, self.web.is_ready)
        await until_healthy(webs, *self._address())

    async def _restart_on_changes(self) -> None:
        watcher = Watcher()
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if changed := watcher.changed():
                self.longwave.say(f"{changed[0].name} changed: restarting")
                await asyncio.gather(*(keeper.restart() for keeper in self.programs.values()))

    async def _rotate_engine_logs(self) -> None:
        while True:
            await asyncio.sleep(_ROTATE_SECONDS)
            for log in self.engine_logs:
                rotate(log)

    async def _stop_everything(self) -> None:
        """The programs first, all at once; then the engines, which they need to the last."""
        self.longwave.say("Stopping")
        self.web.close()
        for keepers in (self.programs.values(), self.engines):
            await asyncio.gather(*(keeper.stop(self._hurry) for keeper in keepers))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.register.forget()
        self.longwave.say("Stopped")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    def _told_to_stop(self) -> None:
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    def _address(self) -> tuple[str, int]:
        """Where we reach ourselves: an address that means "every interface" can't be called."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.host, self.options.host)  # noqa: S104
        return host, self.options.port


def _stop_signals() -> list[signal.Signals]:
    """``nohup`` has made us ignore a hang-up: then it stays ignored.

    A shell's ``&`` makes us ignore an interrupt; who sends one all the same wants us to stop.
    """
    hang_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hang_up]


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Before the loop runs: unwind, which stops what has been started."""
    sys.exit(128 + number)
