"""What happened since the warm-up, and whether it is time to stop."""

import asyncio
import resource
import statistics
import sys
import time
from collections.abc import Sequence

from bench.load.connection import Connection
from bench.load.job import Outcome
from bench.load.listening import Listener

BEGIN = "begin"


class Tally:
    """Adds up what the connections see; prints BEGIN when what counts begins."""

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

    def outcome(self, connections: Sequence[Connection], segment_bytes: int) -> Outcome:
        """The sums, up to now, with the ages of the answers that are still waited for.

        Without those, a server that lets some clients wait for ever would look quick.
        """
        seconds = time.perf_counter() - self._began_at
        p50, p99 = percentiles(self._latencies)
        waiting = [connection.waiting_seconds for connection in connections]
        listeners = [one for one in connections if isinstance(one, Listener)]
        shares = [listener.share for listener in listeners]
        return Outcome(
            seconds=seconds,
            requests=len(self._latencies),
            body_bytes=self._body_bytes,
            cpu_seconds=_cpu_seconds() - self._cpu_at,
            p50_ms=p50 * 1000,
            p99_ms=p99 * 1000,
            longest_ms=max([*self._latencies, *waiting], default=0.0) * 1000,
            faults=tuple(self._faults[:5]),
            segment_bytes=segment_bytes,
            answered=tuple(connection.answered for connection in connections),
            under_way=tuple(connection.under_way for connection in connections),
            starved=sum(share < 1 for share in shares),
            least_share=min(shares, default=1.0),
            longest_gap_ms=max((one.gap_seconds for one in listeners), default=0.0) * 1000,
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
