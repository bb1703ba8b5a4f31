"""Two web processes against one, on a machine whose CPUs the load generator needs as well."""

import os
from collections.abc import Iterator
from dataclasses import replace

from bench import goals, jobs, quota
from bench.load.job import Kind
from bench.measuring import REQUESTS, Comparison, Sample, compare, median_of
from bench.place import more_web
from bench.recorded import check_recorded
from bench.scenario import Scene

# With two of them the load generator and the engines still have more than one CPU.
QUOTA = 0.25


def measure_processes(scene: Scene) -> Iterator[Comparison]:
    """Ranges over 32 connections; the system divides the connections among the processes.

    First as the machine has room. Then with a quarter of a CPU for each process, as on a machine
    that has CPUs to spare: whether the second one adds as much as the first.
    """
    targets = jobs.episodes(scene.seeded.large)
    with (
        more_web(scene.instance, "two processes", processes=2) as two,
        more_web(scene.instance, "one process") as one,
    ):

        def compared(name: str) -> Comparison:
            found = compare(
                name,
                REQUESTS,
                (two, jobs.fast(scene, Kind.RANGES, two, targets)),
                (one, jobs.fast(scene, Kind.RANGES, one, targets)),
                rounds=scene.extent.rounds,
                goal=goals.TWO_PROCESSES,
            )
            return replace(found, note=_shares(found))

        yield compared("ranges, 32 connections, two processes")
        if quota.is_possible():
            with quota.limited([*two.processes, *one.processes], QUOTA):
                limited = compared(f"the same, each process with {QUOTA:.0%} of a CPU")
            yield limited
        check_recorded(scene, one, two)


def _shares(found: Comparison) -> str:
    """What of the machine everybody had."""

    def loader(sample: Sample) -> float:
        return sample.loader_share

    def server(sample: Sample) -> float:
        return sample.server_share

    def per_cpu(sample: Sample) -> float:
        return sample.outcome.requests / sample.server_cpu_seconds

    alike = median_of(found.ours, per_cpu) / median_of(found.theirs, per_cpu)
    return (
        f"of {os.cpu_count()} CPUs the load generator took {median_of(found.ours, loader):.2f} and "
        f"two processes {median_of(found.ours, server):.2f}; beside one process it took "
        f"{median_of(found.theirs, loader):.2f} and that {median_of(found.theirs, server):.2f}. "
        f"For a second of their CPU's time two gave {alike:.2f} of the answers of one"
    )
