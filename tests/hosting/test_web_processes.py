"""Several web processes on one address: how visitors are divided, and who helps whom."""

import json
import os
import re
import resource
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from django.core.management import get_commands, load_command_class
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

from hosting.engines import InstanceError
from hosting.servers.open_files import NEEDED
from hosting.supervisor.listener import listen_together
from hosting.supervisor.web_processes import WebProcesses
from tests.faults.podcaster import Podcaster
from tests.hosting.conftest import PROJECT
from tests.instance import Instance, free_port, running_instance, wait_for
from tests.media.servers import process

SERVERS = ["uvicorn", "daphne"]


@contextmanager
def listeners(count: int) -> Iterator[list[socket.socket]]:
    opened = listen_together("127.0.0.1", 0, count)
    try:
        yield opened
    finally:
        for listener in opened:
            listener.close()


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def connect_to(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def waiting(listener: socket.socket) -> int:
    """How many connections wait at it; they are taken and closed."""
    listener.setblocking(False)
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux divides among sharing sockets")
def test_each_socket_gets_a_fair_part_of_the_connections() -> None:
    with listeners(2) as opened, ExitStack() as clients:
        for _ in range(400):
            clients.enter_context(connect_to(port_of(opened[0])))
        parts = [waiting(listener) for listener in opened]
    assert sum(parts) == 400
    assert min(parts) > 140  # six standard deviations below the half


@pytest.mark.parametrize("count", [1, 2])
def test_sharing_among_our_own_lets_no_other_instance_in(count: int) -> None:
    with listeners(2) as opened:
        port = port_of(opened[0])
        with pytest.raises(InstanceError, match=f"Port {port}"):
            listen_together("127.0.0.1", port, count)
    with listeners(1) as [single], pytest.raises(InstanceError, match="in use"):
        listen_together("127.0.0.1", port_of(single), count)


def test_a_single_process_is_called_web_and_others_are_numbered() -> None:
    for count, names in [(1, ["web"]), (3, ["web-1", "web-2", "web-3"])]:
        processes = WebProcesses(listen_together("127.0.0.1", 0, count))
        assert processes.names == names
        assert [program.name for program in processes.programs("uvicorn", {})] == names
        processes.close()
        processes.close()


@contextmanager
def web_process(
    server: str, own: socket.socket, neighbours: list[socket.socket], log: Path
) -> Iterator[psutil.Process]:
    """A `hosting.web` of the tests' application, from when it says that it is ready."""
    reading, writing = os.pipe()
    given = [own.fileno(), writing, *(one.fileno() for one in neighbours)]
    command = [sys.executable, "-m", "hosting.web", "tests.hosting.answers:application"]
    command += ["--server", server, "--fd", str(own.fileno()), "--ready-fd", str(writing)]
    command += [f"--neighbour-fd={one.fileno()}" for one in neighbours]
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, cwd=PROJECT, pass_fds=given, stdout=output, stderr=subprocess.STDOUT
        )
    os.close(writing)
    try:
        assert select.select([reading], [], [], 60)[0]
        assert os.read(reading, 10) == b"\n", log.read_text()
        yield psutil.Process(child.pid)
    finally:
        os.close(reading)
        child.kill()
        child.wait()


@pytest.mark.parametrize("server", SERVERS)
def test_who_waits_at_a_dead_neighbours_socket_is_let_in(server: str, tmp_path: Path) -> None:
    with listeners(2) as [own, neighbour], ExitStack() as clients:
        early = [clients.enter_context(connect_to(port_of(own))) for _ in range(20)]
        with web_process(server, own, [neighbour], tmp_path / "log"):
            late = [clients.enter_context(connect_to(port_of(own))) for _ in range(20)]
            for client in early + late:
                client.sendall(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert client.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("server", SERVERS)
def test_visitors_by_ipv6_are_known_by_their_address(server: str, tmp_path: Path) -> None:
    try:
        opened = listen_together("::1", 0, 2)
    except InstanceError:
        pytest.skip("this machine has no IPv6")
    with ExitStack() as stack:
        for listener in opened:
            stack.enter_context(listener)
        stack.enter_context(web_process(server, opened[0], opened[1:], tmp_path / "log"))
        for _ in range(8):  # some at the neighbour's
            answer = httpx2.get(f"http://[::1]:{port_of(opened[0])}/client", timeout=30)
            assert json.loads(answer.content)[0] == "::1"


def _limits_of(soft: int, hard: int, tmp_path: Path) -> tuple[tuple[int, int], str]:
    """Those of a web process started with these, and what it said."""
    script = (
        "import resource, os, sys\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "log").open("wb") as log:
        arguments = ["-m", "hosting.web", f"--fd={listener.fileno()}"]
        child = subprocess.Popen(
            [sys.executable, "-c", script, *arguments, "tests.hosting.answers:application"],
            cwd=PROJECT,
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            port = port_of(listener)
            assert httpx2.get(f"http://127.0.0.1:{port}/small", timeout=60).text == "small"
            limits = psutil.Process(child.pid).rlimit(psutil.RLIMIT_NOFILE)
        finally:
            child.kill()
            child.wait()
    return limits, (tmp_path / "log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="limits are looked up in another process")
def test_a_web_process_may_open_as_many_files_as_the_system_allows(tmp_path: Path) -> None:
    limits, said = _limits_of(256, 2048, tmp_path)
    assert limits == (2048, 2048)
    assert "may open 2048 files" in said


@pytest.mark.skipif(
    sys.platform != "linux" or resource.getrlimit(resource.RLIMIT_NOFILE)[1] < NEEDED,
    reason="needs Linux, and leave to open that many files",
)
def test_a_web_process_that_may_open_enough_files_says_nothing(tmp_path: Path) -> None:
    limits, said = _limits_of(256, NEEDED, tmp_path)
    assert limits == (NEEDED, NEEDED)
    assert "may open" not in said


@pytest.fixture(scope="module", params=SERVERS)
def instance(request: pytest.FixtureRequest) -> Iterator[Instance]:
    with running_instance(LONGWAVE_WEB_PROCESSES="2", LONGWAVE_WEB_SERVER=request.param) as running:
        yield running


def web_processes(instance: Instance) -> list[psutil.Process]:
    assert instance.process is not None
    children = psutil.Process(instance.process.pid).children()
    return [child for child in children if "hosting.web" in child.cmdline()]


@pytest.mark.faults
def test_nobody_is_refused_or_kept_waiting_while_one_of_two_is_replaced(instance: Instance) -> None:
    victim, other = web_processes(instance)
    victim.kill()
    victim.wait(10)
    for _ in range(12):  # about half of them at the socket of the dead one
        assert httpx2.get(f"{instance.origin}/healthz", timeout=30).status_code == 200
    wait_for(lambda: len(web_processes(instance)) == 2, what="another process")
    assert victim not in web_processes(instance)
    assert other in web_processes(instance)
    assert re.search("web-[12] ended", instance.log())


def open_dashboard(instance: Instance) -> ClientConnection:
    podcaster = Podcaster(instance, "demo@example.com")
    cookies = "; ".join(f"{name}={value}" for name, value in podcaster.client.cookies.items())
    return connect(
        f"ws://localhost:{instance.port}/live/shows/{podcaster.show()['id']}/",
        additional_headers={"Cookie": cookies, "Origin": instance.origin},
        open_timeout=30,
    )


@pytest.mark.faults
def test_dashboards_live_whichever_process_has_their_socket(instance: Instance) -> None:
    with ExitStack() as stack:
        for dashboard in [stack.enter_context(open_dashboard(instance)) for _ in range(8)]:
            assert json.loads(dashboard.recv(timeout=30))


@pytest.mark.faults
def test_all_of_them_stop_and_tell_dashboards_to_come_back(instance: Instance) -> None:
    processes = web_processes(instance)
    with ExitStack() as stack:
        dashboards = [stack.enter_context(open_dashboard(instance)) for _ in range(4)]
        assert instance.stop() == 0
        for dashboard in dashboards:
            with pytest.raises(ConnectionClosed) as closed:
                hear_to_the_end(dashboard)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CloseCode.SERVICE_RESTART
    assert not any(process.is_running() for process in processes)


def hear_to_the_end(dashboard: ClientConnection) -> None:
    while True:
        dashboard.recv(timeout=30)


def test_development_has_the_server_class_of_production(tmp_path: Path) -> None:
    command: Any = load_command_class(get_commands()["runserver"], "runserver")
    assert command.server_cls.__module__ == "hosting.servers.daphne_server"
    port = free_port()
    arguments = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    environment = os.environ | {"LONGWAVE_DATA": str(tmp_path), "LONGWAVE_DEBUG": "1"}
    with process(arguments, tmp_path / "log", cwd=PROJECT, env=environment):
        wait_for(
            lambda: httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200,
            what="an answer",
        )
