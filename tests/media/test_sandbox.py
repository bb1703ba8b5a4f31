"""A child may be slow, greedy, noisy or dying: the caller gets a typed answer, and no leftovers."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from apps.media.refusals import FileRefusedError, PreparationError
from apps.media.sandbox import Limits, run
from tests.waiting import wait_until

JOBS = "tests.media.sandbox_jobs"
LIMITS = Limits(wall_seconds=30, cpu_seconds=20)
PROJECT = Path(__file__).resolve().parents[2]


def do(job: str, arguments: dict[str, Any] | None = None, **limits: Any) -> dict[str, Any]:
    wanted = Limits(**{"wall_seconds": 30, "cpu_seconds": 20} | limits)
    return run(f"{JOBS}:{job}", arguments or {}, limits=wanted)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def pid_in(file: Path) -> int:
    wait_until(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def test_a_job_gets_its_arguments_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen: list[int] = []

    result = run(f"{JOBS}:describe", {"é": [1, None]}, limits=LIMITS, on_progress=seen.append)

    assert result["echo"] == {"é": [1, None]}
    assert "AWS_SECRET_ACCESS_KEY" not in result["environment"]
    assert result["stdin"] == ""
    assert result["nice"] >= 10
    assert result["core"] == [0, 0]
    assert len(result["files"]) <= 6
    assert seen == [0, 50, 100], "whole percents, never backwards"


@pytest.mark.parametrize(
    ("job", "limits", "code"),
    [
        ("spin", {"cpu_seconds": 1}, "too-long"),
        ("allocate", {}, "out-of-memory"),
        ("crash", {}, "crashed"),
        ("fail", {}, "crashed"),
        ("vanish", {}, "crashed"),
        ("flood", {}, "crashed"),
        ("open_many", {}, "crashed"),
    ],
)
def test_every_bad_end_has_a_code_and_a_sentence(
    job: str, limits: dict[str, Any], code: str
) -> None:
    with pytest.raises(PreparationError) as failed:
        do(job, **limits)

    assert failed.value.code == code
    assert "upload" in failed.value.message


def test_a_refusal_is_passed_on_as_it_was_said() -> None:
    with pytest.raises(FileRefusedError, match=r"^A sentence\.$") as refused:
        do("refuse")

    assert refused.value.code == "code"


def test_a_child_that_complains_without_end_is_still_heard() -> None:
    assert do("complain") == {"done": True}


def test_a_child_can_write_no_more_than_it_may(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(PreparationError) as failed:
        do("write_much", {"path": str(target)}, written_bytes=1_000_000)

    assert failed.value.code == "out-of-room"
    assert target.stat().st_size <= 1_000_000


@pytest.mark.parametrize("job", ["sleep", "sleep_with_a_grandchild"])
def test_time_ends_the_whole_group(job: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(PreparationError) as failed:
        do(job, {"pid_file": str(pid_file)}, wall_seconds=2, written_bytes=1000)

    assert failed.value.code == "too-long"
    pid = pid_in(pid_file)
    wait_until(lambda: not is_running(pid))


def test_a_grandchild_does_not_outlive_its_job() -> None:
    pid = do("leave_a_grandchild")["pid"]

    wait_until(lambda: not is_running(pid))


def test_an_error_while_telling_progress_stops_the_child(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    def gone(percent: int) -> None:
        raise LookupError("the asset was deleted")

    limits = Limits(wall_seconds=30, cpu_seconds=20, written_bytes=1000)
    with pytest.raises(LookupError):
        run(f"{JOBS}:sleep", {"pid_file": str(pid_file)}, limits=limits, on_progress=gone)

    pid = pid_in(pid_file)
    wait_until(lambda: not is_running(pid))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_child_dies_with_a_killed_worker(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    worker = textwrap.dedent(f"""
        from apps.media.sandbox import Limits, run
        limits = Limits(wall_seconds=60, cpu_seconds=20, written_bytes=1000)
        run("{JOBS}:sleep", {{"pid_file": {str(pid_file)!r}}}, limits=limits)
    """)
    process = subprocess.Popen([sys.executable, "-c", worker], cwd=PROJECT)
    try:
        pid = pid_in(pid_file)
        assert is_running(pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    wait_until(lambda: not is_running(pid))
