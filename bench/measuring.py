"""How two servers are compared: in turns, in pairs, by the median of what each pair says."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import IO

from bench.backlog import wait_until_counted
from bench.load.__main__ import BEGIN
from bench.load.bodies import FaultError
from bench.load.job import Job, Outcome
from bench.place import Server
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rounds of two servers doing the same; `ours` and `theirs` belong together in pairs."""

    name: str
    unit: str
    peer: str
    ours: tuple[Sample, ...]
    theirs: tuple[Sample, ...]
    rate: Callable[[Sample], float]

    @property
    def ratios(self) -> list[float]:
        """Ours to theirs, by pair: more than 1 means faster than the peer."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return [self.rate(our) / self.rate(their) for our, their in pairs]

    @property
    def ratio(self) -> float:
        """The median of the pairs."""
        return statistics.median(self.ratios)


def median_of(samples: Sequence[Sample], figure: Callable[[Sample], float]) -> float:
    """The median of one figure of the samples."""
    return statistics.median(map(figure, samples))


def compare(
    name: str,
    unit: str,
    rate: Callable[[Sample], float],
    ours: tuple[Server, Job],
    theirs: tuple[Server, Job],
    *,
    rounds: int,
) -> Comparison:
    """Measure both in each round, the one first that was second before."""
    samples: dict[str, list[Sample]] = {ours[0].name: [], theirs[0].name: []}
    for number in range(rounds):
        for server, job in (ours, theirs) if number % 2 == 0 else (theirs, ours):
            wait_until_counted()
            samples[server.name].append(measure(server, replace(job, seed=number)))
    return Comparison(
        name,
        unit,
        theirs[0].name,
        tuple(samples[ours[0].name]),
        tuple(samples[theirs[0].name]),
        rate,
    )


def measure(server: Server, job: Job) -> Sample:
    """Put this load on the server once; raises FaultError when any answer is wrong."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as loader:
        try:
            return _follow(server, job, loader)
        finally:
            loader.kill()


def _follow(server: Server, job: Job, loader: subprocess.Popen[str]) -> Sample:
    requests, answers = _pipes(loader)
    requests.write(job.to_json())
    requests.close()
    if answers.readline().strip() != BEGIN:
        raise FaultError(f"{server.name}: the load generator could not begin")
    cpu, beside = server.cpu_seconds(), server.cpu_seconds_beside()
    last = answers.readline()
    cpu, beside = server.cpu_seconds() - cpu, server.cpu_seconds_beside() - beside
    if not last:
        raise FaultError(f"{server.name}: the load generator broke")
    outcome = Outcome.from_json(last)
    if outcome.faults:
        raise FaultError(f"{server.name}: {'; '.join(outcome.faults)}")
    if not outcome.body_bytes and not outcome.requests:
        raise FaultError(f"{server.name}: nothing was answered in {outcome.seconds:.1f} s")
    return Sample(outcome, cpu, beside)


def _pipes(loader: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if loader.stdin is None or loader.stdout is None:
        raise RuntimeError("the load generator was started without pipes")
    return loader.stdin, loader.stdout
