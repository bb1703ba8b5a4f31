"""Reads a job on the standard input; prints ``begin`` when measuring begins, then the outcome."""

import asyncio
import resource
import statistics
import sys
import time
from collections.abc import Iterable
from functools import partial

import uvloop

from bench.load.asking import Asker
from bench.load.connection import Connection
from bench.load.job import Job, Outcome

BEGIN = "begin"
CONNECT_SECONDS = 10


class Tally:
    """What happened since the warm-up; knows when it is over."""

    def __init__(self, max_requests: int) -> None:
        self._max_requests = max_requests
        self._body_bytes = 0
        self._latencies: list[float] = []
        self._faults: list[str] = []
        self._began_at = self._cpu_at = 0.0
        self.over = asyncio.Event()

    def begin(self) -> None:
        """Forget the warm-up."""
        self._body_bytes, self._latencies = 0, []
        if not self._faults:
            self.over.clear()
        self._cpu_at, self._began_at = _cpu_seconds(), time.perf_counter()
        sys.stdout.write(f"{BEGIN}\n")
        sys.stdout.flush()

    def received(self, count: int) -> None:
        self._body_bytes += count

    def answered(self, seconds: float) -> None:
        self._latencies.append(seconds)
        if len(self._latencies) >= self._max_requests:
            self.over.set()

    def failed(self, reason: str) -> None:
        self._faults.append(reason)
        self.over.set()

    def outcome(self, waiting_seconds: Iterable[float]) -> Outcome:
        """The sums, up to now, with the ages of the answers that are still waited for.

        Without those, a server that lets some clients wait for ever would look quick.
        """
        seconds = time.perf_counter() - self._began_at
        p50, p99 = percentiles(self._latencies)
        return Outcome(
            seconds=seconds,
            requests=len(self._latencies),
            body_bytes=self._body_bytes,
            cpu_seconds=_cpu_seconds() - self._cpu_at,
            p50_ms=p50 * 1000,
            p99_ms=p99 * 1000,
            longest_ms=max([*self._latencies, *waiting_seconds], default=0.0) * 1000,
            faults=tuple(self._faults[:5]),
        )


def percentiles(values: list[float]) -> tuple[float, float]:
    """The median and the value that one in a hundred exceeds; zeros when there is too little."""
    if len(values) < 2:
        return (values[0], values[0]) if values else (0.0, 0.0)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def run(job: Job) -> Outcome:
    """Put the load on, and take it off when time, requests or luck run out."""
    asker, tally, loop = Asker(job), Tally(job.max_requests), asyncio.get_running_loop()
    connections: list[Connection] = []
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            for number in range(job.connections):
                make = partial(Connection, asker.exchanges(number), tally)
                _, connection = await loop.create_connection(make, "127.0.0.1", job.port)
                connections.append(connection)
        await _until(tally.over, job.warm_up_seconds)
        tally.begin()
        await _until(tally.over, job.seconds)
        return tally.outcome([connection.waiting_seconds for connection in connections])
    finally:
        for connection in connections:
            connection.close()


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def main() -> None:
    job = Job.from_json(sys.stdin.read())
    outcome = uvloop.run(run(job))
    sys.stdout.write(f"{outcome.to_json()}\n")


if __name__ == "__main__":
    main()
