"""How two servers are compared: in turns, in pairs, by the median of what each pair says."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import IO

import psutil

from bench import isolation
from bench.backlog import wait_until_counted
from bench.goals import Goal
from bench.load.bodies import FaultError
from bench.load.job import Job, Outcome
from bench.load.tally import BEGIN
from bench.servers import Server
from tests.instance import PROJECT

# Above this the load generator, not the server, may be what was measured.
BUSY_LOADER = 0.9


@dataclass(frozen=True, slots=True)
class Sample:
    """One server under load once."""

    outcome: Outcome
    server_cpu_seconds: float
    beside_cpu_seconds: float

    @property
    def megabytes_per_second(self) -> float:
        """Bodies only, in units of 1,000,000 bytes."""
        return self.outcome.body_bytes / self.outcome.seconds / 1e6

    @property
    def requests_per_second(self) -> float:
        """Whole answers."""
        return self.outcome.requests / self.outcome.seconds

    @property
    def loader_share(self) -> float:
        """How much of one CPU the load generator took."""
        return self.outcome.cpu_seconds / self.outcome.seconds

    @property
    def server_share(self) -> float:
        """How much of one CPU the server took."""
        return self.server_cpu_seconds / self.outcome.seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """What is compared, and in which unit."""

    unit: str
    of: Callable[[Sample], float]


MEGABYTES = Rate("MB/s", lambda sample: sample.megabytes_per_second)
REQUESTS = Rate("req/s", lambda sample: sample.requests_per_second)


class Alone(Enum):
    """Who has a CPU to itself while it is measured, if there are two.

    Everything else shares the others, as if it were another machine.
    """

    SERVER = auto()
    LOAD = auto()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rounds of two servers doing the same; `ours` and `theirs` belong together in pairs."""

    name: str
    rate: Rate
    peer: str
    ours: tuple[Sample, ...]
    theirs: tuple[Sample, ...]
    goal: Goal | None = None
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours to theirs, by pair: more than 1 means faster than the peer."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [self.rate.of(our) / self.rate.of(their) for our, their in pairs]

    @property
    def ratio(self) -> float:
        """The median of the pairs."""
        return statistics.median(self.ratios)


def median_of(samples: Sequence[Sample], figure: Callable[[Sample], float]) -> float:
    """The median of one figure of the samples."""
    return statistics.median(map(figure, samples))


def compare(
    name: str,
    rate: Rate,
    ours: tuple[Server, Job],
    theirs: tuple[Server, Job],
    *,
    rounds: int,
    goal: Goal | None = None,
    alone: Alone | None = None,
) -> Comparison:
    """Measure both in each round, the one first that was second before."""
    found: dict[str, list[Sample]] = {ours[0].name: [], theirs[0].name: []}
    for number in range(rounds):
        for server, job in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            wait_until_counted()
            found[server.name].append(measure(server, replace(job, seed=number), alone=alone))
    our, their = (tuple(found[server.name]) for server, _ in (ours, theirs))
    return Comparison(name, rate, theirs[0].name, our, their, goal)


def measure(server: Server, job: Job, *, alone: Alone | None = None) -> Sample:
    """Put this load on the server once; raises FaultError when any answer is wrong."""
    with ExitStack() as stack:
        load = stack.enter_context(loading(server, job))
        if alone is not None:
            some = server.family() if alone is Alone.SERVER else [load.process]
            stack.enter_context(isolation.alone(some))
        load.wait_for_begin()
        cpu, beside = server.cpu_seconds(), server.cpu_seconds_beside()
        outcome = load.outcome()
        return Sample(outcome, server.cpu_seconds() - cpu, server.cpu_seconds_beside() - beside)


class Load:
    """A load generator at work on one server."""

    def __init__(self, server: Server, job: Job, process: subprocess.Popen[str]) -> None:
        requests, self._answers = _pipes(process)
        requests.write(job.to_json())
        requests.close()
        self._server, self._job = server, job
        self.process = psutil.Process(process.pid)

    def wait_for_begin(self) -> None:
        """Until everybody is connected and the warm-up is over."""
        if self._answers.readline().strip() != BEGIN:
            raise FaultError(f"{self._server.name}: the load generator could not begin")

    def outcome(self) -> Outcome:
        """Wait for the end; raises FaultError when any answer was wrong."""
        name, last = self._server.name, self._answers.readline()
        if not last:
            raise FaultError(f"{name}: the load generator broke")
        outcome = Outcome.from_json(last)
        if outcome.faults:
            raise FaultError(f"{name}: {'; '.join(outcome.faults)}")
        if not outcome.body_bytes and not outcome.requests:
            raise FaultError(f"{name}: nothing was answered in {outcome.seconds:.1f} s")
        self._server.sent.append((self._job, outcome))
        return outcome


@contextmanager
def loading(server: Server, job: Job) -> Iterator[Load]:
    """A load generator that ends with the context, whatever it is doing."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Load(server, job, process)
        finally:
            process.kill()


def _pipes(loader: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if loader.stdin is None or loader.stdout is None:
        raise RuntimeError("the load generator was started without pipes")
    return loader.stdin, loader.stdout
