"""What each process says of itself every few seconds, and how the platform's page reads it."""

import atexit
import json
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Self, cast

import psutil
import redis

from apps.core import valkey

REPORT_SECONDS = 5.0
SILENT_SECONDS = 2.5 * REPORT_SECONDS
"""Whoever says nothing for so long is shown as gone."""
FORGET_SECONDS = 60
_REPORTS_OF_A_MINUTE = round(60 / REPORT_SECONDS)


type Spooled = Callable[[], int]
"""How many bytes of hits on this disk are not in the stream; raises RedisError or OSError."""


class Tally:
    """Plain numbers that this process's event loop counts up and down; nothing waits for them."""

    __slots__ = ("errors", "loop_lag_seconds", "media", "responses", "sockets")

    def __init__(self) -> None:
        self.responses = 0
        self.errors = 0  # 5xx
        self.media = 0  # being sent now
        self.sockets = 0  # open now, event streams included
        self.loop_lag_seconds = 0.0  # the longest since the last report


tally = Tally()


@dataclass(frozen=True, slots=True)
class Vitals:
    """One report. Times are Unix time in seconds; rates are of the time since the last report."""

    role: str
    host: str
    pid: int
    started_at: float
    reported_at: float
    rss_bytes: int = 0
    cpu_share: float = 0.0  # of one CPU
    loop_lag_ms: float | None = None  # None without an event loop
    sockets: int = 0
    media: int = 0
    responses_per_second: float = 0.0
    errors_per_second: float = 0.0
    responses_last_minute: int = 0
    errors_last_minute: int = 0
    spooled_bytes: int = 0  # of hits on this host's disk that are not in the stream yet

    @property
    def name(self) -> str:
        """Which process of the installation it is."""
        return f"{self.role}@{self.host}:{self.pid}"

    def is_silent(self, at: float) -> bool:
        """Whether a report is overdue at this Unix time: it died, hangs, or can't reach Valkey."""
        return at - self.reported_at > SILENT_SECONDS

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """What a process wrote, also one of a version that knows more."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})


class Examiner:
    """Takes this process's vitals, its children's included."""

    def __init__(self, role: str, *, has_loop: bool, spooled: Spooled | None = None) -> None:
        self._role, self._has_loop = role, has_loop
        self._spooled = spooled
        self._process = psutil.Process()
        self._minute: deque[tuple[int, int]] = deque(maxlen=_REPORTS_OF_A_MINUTE)
        self._before = (time.monotonic(), self._family()[1], tally.responses, tally.errors)

    def examine(self) -> Vitals:
        """The vitals since the last call."""
        at, cpu_before, responses_before, errors_before = self._before
        rss, cpu = self._family()
        self._before = (time.monotonic(), cpu, tally.responses, tally.errors)
        seconds = max(self._before[0] - at, 1e-3)
        responses, errors = tally.responses - responses_before, tally.errors - errors_before
        self._minute.append((responses, errors))
        lag, tally.loop_lag_seconds = tally.loop_lag_seconds, 0.0
        return Vitals(
            role=self._role,
            host=socket.gethostname(),
            pid=os.getpid(),
            started_at=self._process.create_time(),
            reported_at=time.time(),
            rss_bytes=rss,
            cpu_share=round(max(0.0, cpu - cpu_before) / seconds, 3),
            loop_lag_ms=round(lag * 1000, 1) if self._has_loop else None,
            sockets=tally.sockets,
            media=tally.media,
            responses_per_second=round(responses / seconds, 1),
            errors_per_second=round(errors / seconds, 2),
            responses_last_minute=sum(count for count, _ in self._minute),
            errors_last_minute=sum(count for _, count in self._minute),
            spooled_bytes=self._spooled_bytes(),
        )

    def _spooled_bytes(self) -> int:
        try:
            return self._spooled() if self._spooled is not None else 0
        except (redis.RedisError, OSError):
            return 0  # without Valkey, nobody hears of these vitals either

    def _family(self) -> tuple[int, float]:
        """Resident bytes and seconds of CPU, of a worker's pool as well."""
        rss, cpu = 0, 0.0
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    rss += process.memory_info().rss
                    cpu += times.user + times.system
            except psutil.Error:
                continue
        return rss, cpu


class Reporter:
    """A thread that reports until it is closed; Valkey's absence costs reports, nothing else."""

    def __init__(
        self, role: str, *, has_loop: bool = False, spooled: Spooled | None = None
    ) -> None:
        self._role, self._has_loop, self._spooled = role, has_loop, spooled
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vitals", daemon=True)
        self._name = ""

    def start(self) -> None:
        """Report for the first time at once."""
        atexit.register(self.close)
        self._thread.start()

    def close(self) -> None:
        """Take leave: who stops as it should is not shown as gone."""
        atexit.unregister(self.close)
        self._is_over.set()
        self._thread.join(timeout=2)
        _quietly(lambda: valkey.connection().hdel(_key(), self._name))

    def _run(self) -> None:
        examiner = Examiner(self._role, has_loop=self._has_loop, spooled=self._spooled)
        while True:
            vitals = examiner.examine()
            self._name = vitals.name
            _quietly(lambda vitals=vitals: report(vitals))  # type: ignore[misc]
            if self._is_over.wait(REPORT_SECONDS):
                return


def report(vitals: Vitals) -> None:
    """Make it known."""
    pipe = valkey.connection().pipeline(transaction=False)
    pipe.hset(_key(), vitals.name, json.dumps(asdict(vitals)))
    pipe.expire(_key(), FORGET_SECONDS)
    pipe.execute()


def read_all(client: redis.Redis, *, at: float) -> list[Vitals]:
    """Every process that reported lately, by role and age; those long gone are forgotten."""
    found = cast("dict[bytes, bytes]", client.hgetall(_key()))
    everybody = [Vitals.from_json(text) for text in found.values()]
    forgotten = [one.name for one in everybody if at - one.reported_at > FORGET_SECONDS]
    if forgotten:
        client.hdel(_key(), *forgotten)
    known = [one for one in everybody if one.name not in forgotten]
    return sorted(known, key=lambda one: (one.role, one.started_at, one.pid))


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except (redis.RedisError, OSError):
        return


def _key() -> str:
    return valkey.key("vitals")
