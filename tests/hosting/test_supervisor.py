"""The parts of the supervisor, each with real processes."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from hosting.engines import InstanceError
from hosting.engines.folder import DataFolder
from hosting.engines.logs import rotate
from hosting.engines.processes import spawn
from hosting.supervisor.keeper import Keeper
from hosting.supervisor.leftovers import Register, end_leftovers
from hosting.supervisor.listener import listen, listen_together
from hosting.supervisor.output import Output
from hosting.supervisor.readiness import until_ready, welcome
from hosting.supervisor.web_processes import WebProcesses
from tests.waiting import wait_until


@dataclass
class Script:
    """A shell script as a kept program."""

    text: str
    name: str = "script"
    stop_signals: Sequence[tuple[signal.Signals, float]] = (
        (signal.SIGTERM, 20.0),
        (signal.SIGKILL, 5.0),
    )
    spawned: list[int] = field(default_factory=list)

    def spawn(self) -> subprocess.Popen[bytes]:
        process = spawn(["sh", "-c", self.text], cwd=Path("/"), env={}, output=subprocess.PIPE)
        self.spawned.append(process.pid)
        return process


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path)
    made.create()
    return made


@asynccontextmanager
async def kept(script: Script, folder: DataFolder) -> AsyncIterator[Keeper]:
    keeper = Keeper(script, Output(folder, script.name))
    running = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        hurry = asyncio.Event()
        hurry.set()
        await keeper.stop(hurry)
        await running


async def until_said(folder: DataFolder, text: str, times: int = 1) -> None:
    log = folder.log("script")
    async with asyncio.timeout(20):
        while not log.exists() or log.read_text().count(text) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_a_program_that_dies_is_started_again_later_each_time(folder: DataFolder) -> None:
    async def scenario() -> None:
        async with kept(Script("echo here; exit 3"), folder) as keeper:
            await until_said(folder, "here", times=3)
            assert keeper.failures >= 2

    asyncio.run(scenario())
    said = folder.log("script").read_text()
    assert "ended (status 3): starting it again in 0.2 s" in said
    assert "ended (status 3): starting it again in 0.4 s" in said


def test_a_program_that_cannot_be_started_is_tried_again(folder: DataFolder) -> None:
    class Missing(Script):
        def spawn(self) -> subprocess.Popen[bytes]:
            self.spawned.append(0)
            raise FileNotFoundError(2, "gone")

    async def scenario() -> None:
        missing = Missing("")
        async with kept(missing, folder):
            await until_said(folder, "could not be started", times=2)

    asyncio.run(scenario())


def test_stopping_ends_what_the_program_had_started(folder: DataFolder) -> None:
    async def scenario() -> psutil.Process:
        script = Script("sleep 600 & echo child $!; wait")
        async with kept(script, folder):
            await until_said(folder, "child")
            return psutil.Process(int(folder.log("script").read_text().split()[1]))

    grandchild = asyncio.run(scenario())
    wait_until(lambda: not grandchild.is_running() or grandchild.status() == "zombie")


def test_a_program_may_finish_what_it_does_when_asked_to_stop(folder: DataFolder) -> None:
    async def scenario() -> None:
        script = Script("trap 'echo finished; exit 0' TERM; echo up; while :; do sleep 0.02; done")
        async with kept(script, folder) as keeper:
            await until_said(folder, "up")
            await keeper.stop(asyncio.Event())
        assert len(script.spawned) == 1

    asyncio.run(scenario())
    assert "finished" in folder.log("script").read_text()


def test_a_hurried_stop_does_not_wait_for_a_deaf_program(folder: DataFolder) -> None:
    async def scenario() -> float:
        script = Script("trap '' TERM; echo up; while :; do sleep 0.02; done")
        async with kept(script, folder) as keeper:
            await until_said(folder, "up")
            hurry = asyncio.Event()
            stopping = asyncio.create_task(keeper.stop(hurry))
            began = time.monotonic()
            hurry.set()
            await stopping
            return time.monotonic() - began

    assert asyncio.run(scenario()) < Script("").stop_signals[0][1] / 2


def test_a_restart_is_no_failure(folder: DataFolder) -> None:
    async def scenario() -> None:
        script = Script("echo up; exec sleep 600")
        async with kept(script, folder) as keeper:
            await until_said(folder, "up")
            await keeper.restart()
            await until_said(folder, "up", times=2)
            assert keeper.failures == 0
            assert len(script.spawned) == 2

    asyncio.run(scenario())


def test_a_restart_does_not_wait_for_the_next_try(folder: DataFolder) -> None:
    async def scenario() -> None:
        script = Script("echo here; exit 3")
        async with kept(script, folder) as keeper:
            await until_said(folder, "again in 1.6 s")
            tries = len(script.spawned)
            await keeper.restart()
            async with asyncio.timeout(1):
                while len(script.spawned) == tries:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_lines_are_whole_and_named_on_the_console(
    folder: DataFolder, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    async def scenario() -> None:
        async with kept(Script("printf 'a'; sleep 0.1; printf 'b\\nlast'; sleep 600"), folder):
            await until_said(folder, "ab\n")

    asyncio.run(scenario())
    assert b"script   | ab\nscript   | last\n" in capfdbinary.readouterr().out


def test_a_log_that_has_grown_too_long_moves_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab") as writer:
        for number in range(7):
            writer.write(f"{number}".encode() * 20)
            writer.flush()
            rotate(log, max_bytes=10)
    kept_logs = {path.name: path.read_text()[:1] for path in tmp_path.iterdir()}
    assert kept_logs == {
        "web.log": "",
        "web.log.1": "6",
        "web.log.2": "5",
        "web.log.3": "4",
        "web.log.4": "3",
    }


def test_a_port_in_use_is_refused_with_another_choice() -> None:
    with contextlib.closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InstanceError, match=rf"Port {port} .* in use.*PORT={port + 1}"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InstanceError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_a_port_is_free_again_right_after_its_owner_is_gone() -> None:
    with contextlib.closing(listen("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            first.accept()[0].close()
    listen("127.0.0.1", port).close()


def test_what_an_earlier_instance_left_is_ended(tmp_path: Path) -> None:
    register = Register(tmp_path / "children.json")
    left = subprocess.Popen(["sleep", "600"], process_group=0)
    register.note("web", left.pid)
    assert end_leftovers(register.path) == ["web"]
    assert not psutil.pid_exists(left.pid)
    assert not register.path.exists()


def test_a_stranger_with_a_left_number_lives_on(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "600"], process_group=0)
    try:
        created = psutil.Process(stranger.pid).create_time()
        register = tmp_path / "children.json"
        register.write_text(json.dumps({"web": [stranger.pid, created - 60]}))
        assert end_leftovers(register) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import subprocess, pathlib, time\n"
        "from hosting.engines.processes import spawn\n"
        "child = spawn(['sleep', '600'], cwd=pathlib.Path('/'), env={}, output=-3)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    wait_until(lambda: not child.is_running() or child.status() == "zombie")


def test_the_start_waits_for_every_web_process(folder: DataFolder) -> None:
    processes = WebProcesses(listen_together("127.0.0.1", 0, 2))
    keepers = [Keeper(Script("", name), Output(folder, name)) for name in processes.names]

    async def scenario() -> None:
        waiting = asyncio.create_task(until_ready(keepers, processes.is_ready))
        for program in reversed(processes.programs("uvicorn", {})):
            await asyncio.wait([waiting], timeout=0.3)
            assert not waiting.done()
            descriptor = program.command[program.command.index("--ready-fd") + 1]
            os.write(int(descriptor), b"\n")
        async with asyncio.timeout(20):
            await waiting

    with contextlib.closing(processes):
        asyncio.run(scenario())


def test_the_start_gives_up_when_a_web_process_dies_again_and_again(folder: DataFolder) -> None:
    async def scenario() -> None:
        async with kept(Script("exit 3"), folder) as keeper, asyncio.timeout(20):
            await until_ready([keeper], lambda name: False)

    with pytest.raises(InstanceError, match="web process does not start"):
        asyncio.run(scenario())


def test_the_welcome_says_where_to_look_and_who_may_sign_in(tmp_path: Path) -> None:
    demo = tmp_path / "demo.json"
    said = welcome("http://localhost:8123", tmp_path, demo)
    assert "Longwave is ready: http://localhost:8123/" in said
    demo.write_text(
        json.dumps(
            {
                "pages": [{"name": "Studio", "path": "/studio/"}],
                "people": [{"who": "Owner", "email": "o@example.org", "password": "pass word"}],
            }
        )
    )
    said = welcome("http://localhost:8123", tmp_path, demo)
    assert "http://localhost:8123/studio/" in said
    assert "o@example.org  password pass word" in said
