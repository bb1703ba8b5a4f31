"""A whole instance: what its operator is promised about starting, stopping and dying parts."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.hosting.conftest import PROJECT, processes_naming
from tests.instance import Instance, new_instance, running_instance, wait_for

_IGNORED = (signal.SIGINT, signal.SIGHUP)

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with new_instance() as running:
        yield running


def _serve(data: Path, port: int, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "serve", f"--port={port}", f"--data={data}"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_second_instance_on_the_same_folder_is_refused_naming_the_first(
    instance: Instance, plain_environment: dict[str, str]
) -> None:
    assert instance.process is not None
    refused = _serve(instance.data, 1, plain_environment)
    assert refused.returncode == 1
    assert f"process {instance.process.pid}" in refused.stderr
    assert instance.is_healthy()


def test_a_second_instance_on_the_same_port_is_refused_before_anything_starts(
    instance: Instance, data: Path, plain_environment: dict[str, str]
) -> None:
    refused = _serve(data, instance.port, plain_environment)
    assert refused.returncode == 1
    assert f"Port {instance.port}" in refused.stderr
    assert not (data / "postgres").exists()


@pytest.mark.parametrize(
    ("arguments", "environment", "reason"),
    [
        ([], {"LONGWAVE_DATA": "/dev/null/folder"}, "The data folder /dev/null/folder can't be"),
        ([], {"LONGWAVE_DEBUG": "perhaps"}, "LONGWAVE_DEBUG"),
        (["--port=99999"], {}, "99999 is no port"),
        (["--port=eighty"], {}, "eighty is no port"),
    ],
)
def test_what_cannot_work_is_refused_in_words(
    arguments: list[str],
    environment: dict[str, str],
    reason: str,
    data: Path,
    plain_environment: dict[str, str],
) -> None:
    refused = subprocess.run(
        [sys.executable, "manage.py", "serve", *arguments],
        cwd=PROJECT,
        env={**plain_environment, "LONGWAVE_DATA": str(data), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode != 0
    assert reason in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["web", "worker", "clock", "counter", "valkey", "postgres"])
def test_a_killed_part_is_replaced_and_the_engines_keep_their_addresses(
    instance: Instance, name: str
) -> None:
    addresses = (instance.data / "engines.json").read_text()
    instance.kill(name)
    wait_for(instance.is_healthy, what="health")
    assert (instance.data / "engines.json").read_text() == addresses


def test_no_request_is_refused_while_the_web_process_is_replaced(instance: Instance) -> None:
    """Connections wait in the supervisor's socket: there is no moment without a listener."""
    before = instance.find("web")
    before.send_signal(signal.SIGKILL)
    before.wait(10)
    assert httpx2.get(f"{instance.origin}/healthz", timeout=30).status_code == 200


def test_every_part_writes_a_log_in_the_data_folder(instance: Instance) -> None:
    names = {path.stem for path in (instance.data / "logs").glob("*.log")}
    assert {"web", "worker", "postgres", "valkey", "longwave"} <= names


def test_the_command_line_finds_the_running_engines(
    instance: Instance, plain_environment: dict[str, str]
) -> None:
    script = "from django.conf import settings; print(settings.DATABASE_URL)"
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", script],
        cwd=PROJECT,
        env={**plain_environment, "LONGWAVE_DATA": str(instance.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    addresses = json.loads((instance.data / "engines.json").read_text())
    assert told.stdout.strip() == addresses["DATABASE_URL"]


def test_a_stop_leaves_no_process_and_no_address() -> None:
    with running_instance("--no-demo") as own:
        assert own.process is not None
        own.process.send_signal(signal.SIGTERM)
        assert own.process.wait(60) == 0
        assert processes_naming(str(own.data)) == []
        assert not (own.data / "engines.json").exists()
        assert not (own.data / "children.json").exists()


def test_in_the_background_an_interrupt_still_stops_and_a_hang_up_does_not() -> None:
    """What ``nohup make run &`` ignores from birth."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _IGNORED}
    try:
        with running_instance("--no-demo") as own:
            assert own.process is not None
            own.process.send_signal(signal.SIGHUP)
            own.kill("counter")  # it still has the time to replace what dies
            assert own.is_healthy()
            assert own.stop() == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_killed_supervisor_takes_everything_along_and_the_next_start_recovers() -> None:
    with running_instance("--no-demo") as own:
        assert own.process is not None
        own.process.kill()
        own.process.wait()
        own.start()
        assert own.is_healthy()
        assert own.process is not None
        supervisor = psutil.Process(own.process.pid)
        ours = {process.pid for process in supervisor.children(recursive=True)}
        strangers = {p.pid for p in processes_naming(str(own.data))} - ours - {supervisor.pid}
        assert strangers == set()
