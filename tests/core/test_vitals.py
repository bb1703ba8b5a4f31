"""What processes say of themselves, and how long it is believed."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

import psutil
import pytest
import redis

from apps.core import valkey, vitals
from apps.core.vitals import FORGET_SECONDS, SILENT_SECONDS, Examiner, Reporter, Vitals, tally
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("clean_valkey")
NOW = 1_800_000_000.0
WEB = Vitals(role="web", host="one", pid=7, started_at=NOW - 60, reported_at=NOW)


@pytest.fixture
def quiet_tally() -> Iterator[None]:
    """Other tests' numbers are put back."""
    kept = {name: getattr(tally, name) for name in tally.__slots__}
    yield
    for name, value in kept.items():
        setattr(tally, name, value)


@pytest.mark.usefixtures("quiet_tally")
def test_rates_are_those_since_the_last_report_and_errors_those_of_a_minute() -> None:
    examiner = Examiner("web", has_loop=True)
    tally.responses += 10
    tally.errors += 2
    tally.loop_lag_seconds = 0.25
    first = examiner.examine()
    second = examiner.examine()

    assert first.responses_per_second > 0
    assert (first.loop_lag_ms, second.loop_lag_ms) == (250, 0)
    assert (second.responses_per_second, second.errors_per_second) == (0, 0)
    assert (second.responses_last_minute, second.errors_last_minute) == (10, 2)
    assert second.rss_bytes > 1_000_000
    assert second.started_at < time.time()


def test_who_has_no_event_loop_has_no_lag() -> None:
    assert Examiner("counter", has_loop=False).examine().loop_lag_ms is None


@pytest.mark.parametrize(
    ("seconds", "known", "silent"),
    [
        (0, True, False),
        (SILENT_SECONDS, True, False),
        (SILENT_SECONDS + 1, True, True),
        (FORGET_SECONDS, True, True),
        (FORGET_SECONDS + 1, False, False),
    ],
)
def test_a_process_that_falls_silent_is_gone_and_then_forgotten(
    seconds: float, known: bool, silent: bool
) -> None:
    vitals.report(WEB)

    found = vitals.read_all(valkey.connection(), at=NOW + seconds)

    assert [one.name for one in found] == (["web@one:7"] if known else [])
    assert [one.is_silent(NOW + seconds) for one in found] == ([silent] if known else [])


def test_processes_are_shown_by_role_and_age() -> None:
    others = [
        replace(WEB, role="counter", pid=9),
        replace(WEB, pid=8, started_at=NOW - 10),
        replace(WEB, role="worker", pid=10),
    ]
    for one in (*others, WEB):
        vitals.report(one)

    found = vitals.read_all(valkey.connection(), at=NOW)

    assert [(one.role, one.pid) for one in found] == [
        ("counter", 9),
        ("web", 7),
        ("web", 8),
        ("worker", 10),
    ]


def test_reports_of_a_newer_version_are_understood() -> None:
    assert Vitals.from_json(
        b'{"role":"web","host":"a","pid":1,"started_at":1,"reported_at":2,"x":3}'
    )


def test_a_child_that_must_not_be_looked_at_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hidden:
        oneshot = nullcontext

        def children(self, recursive: bool) -> list["Hidden"]:
            return [self]

        def create_time(self) -> float:
            return NOW

        def cpu_times(self) -> object:
            raise psutil.AccessDenied

    examiner = Examiner("worker", has_loop=False)
    monkeypatch.setattr(examiner, "_process", Hidden())

    assert examiner.examine().rss_bytes == 0


@pytest.mark.parametrize("error", [redis.ConnectionError, PermissionError])
def test_a_process_has_vitals_also_when_nobody_can_say_what_is_spooled(
    error: type[Exception],
) -> None:
    def unknown() -> int:
        raise error

    examined = [
        Examiner("web", has_loop=False, spooled=one).examine() for one in (lambda: 7, unknown)
    ]

    assert [one.spooled_bytes for one in examined] == [7, 0]


def test_a_reporter_reports_at_once_and_takes_leave() -> None:
    def names() -> list[str]:
        found = vitals.read_all(valkey.connection(), at=time.time())
        return [one.role for one in found]

    reporter = Reporter("worker")
    reporter.start()
    wait_until(lambda: names() == ["worker"])

    reporter.close()

    assert names() == []
