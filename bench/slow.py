"""A crowd of slow listeners: what it costs the server, whether all are served, who else notices."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx2

from bench import goals, jobs
from bench.backlog import wait_until_counted
from bench.figure import Figure
from bench.goals import Goal
from bench.load.bodies import FaultError
from bench.load.job import Job, Kind, Outcome, Target
from bench.measuring import BUSY_LOADER, loading, measure
from bench.memory import Memory, watching
from bench.place import more_web
from bench.recorded import check_recorded
from bench.scenario import Scene
from bench.servers import Server

RATE_BYTES = (16 * 1024, 32 * 1024)  # per second: speech and music, as podcasts are encoded
# The kernel doubles it. With its default, whole minutes of audio would wait at the listener.
RECEIVE_BUFFER_BYTES = 16 * 1024
PAGES = {"the front page": "/", "the health check": "/healthz"}
_SMALL_RANGE = (64 * 1024, 64 * 1024)
_PROBE_PAUSE_SECONDS = 0.02
_MARGIN_SECONDS = 1.0  # probes begin after the crowd has, and end before it does


def measure_slow(scene: Scene) -> Iterator[Figure]:
    """Two crowds, each at a process that has seen none; others ask for something beside one."""
    few, many = scene.extent.crowds
    with (
        tempfile.TemporaryDirectory(prefix="longwave-bench-") as folder,
        more_web(scene.instance, "Longwave") as server,
    ):
        probes = _probes(scene, server, Path(folder))
        alone = {name: measure(server, job).outcome for name, job in probes.items()}
        growth, crowd, beside = listen(scene, server, few, probes)
        check_recorded(scene, server)
    yield growth_figure(few, growth, crowd, goals.GROWTH)
    yield starved_figure(few, crowd)
    for name, found in beside.items():
        yield Figure(
            f"{few:,} slow listeners: p99 of {name}",
            found.p99_ms,
            "ms",
            goals.WAITING,
            beside=f"{alone[name].p99_ms:.1f} ms without them",
            note=f"p50 {found.p50_ms:.1f} ms ({alone[name].p50_ms:.1f} ms without them), "
            f"{found.requests:,} answers, the longest took {found.longest_ms:.0f} ms",
        )
    with more_web(scene.instance, "Longwave") as server:
        growth, crowd, _ = listen(scene, server, many, {})
        check_recorded(scene, server)
    yield growth_figure(many, growth, crowd, goals.GROWTH_OF_CROWD)
    yield starved_figure(many, crowd)


def crowd_job(scene: Scene, port: int, listeners: int, targets: tuple[Target, ...]) -> Job:
    """So many listeners, each with a file of its own choice and at a rate of its own."""
    return Job(
        kind=Kind.WHOLE,
        port=port,
        targets=targets,
        connections=listeners,
        seconds=scene.extent.slow_seconds,
        warm_up_seconds=scene.extent.warm_up_seconds,
        headers=jobs.HEADERS,
        rate_bytes=RATE_BYTES,
        receive_buffer_bytes=RECEIVE_BUFFER_BYTES,
    )


def warm_up(scene: Scene, server: Server, targets: tuple[Target, ...]) -> None:
    """What a process loads for its first answers is nothing that listeners cost.

    By one small range after another: buffers of many at once would stay, and hide what comes.
    """
    job = jobs.fast(scene, Kind.RANGES, server, targets)
    job = replace(job, connections=1, range_bytes=_SMALL_RANGE)
    measure(server, replace(job, seconds=scene.extent.warm_up_seconds))


def listen(
    scene: Scene, server: Server, listeners: int, probes: dict[str, Job]
) -> tuple[Memory, Outcome, dict[str, Outcome]]:
    """What the server grew by, and what the crowd and those beside it experienced."""
    warm_up(scene, server, jobs.episodes(scene.seeded.large))
    wait_until_counted()
    job = crowd_job(scene, server.port, listeners, jobs.episodes(scene.seeded.large))
    with watching(server) as watch, loading(server, job) as crowd, ExitStack() as stack:
        crowd.wait_for_begin()
        seconds = max(1.0, job.seconds - scene.extent.warm_up_seconds - 2 * _MARGIN_SECONDS)
        loads = {
            name: stack.enter_context(loading(server, replace(probe, seconds=seconds)))
            for name, probe in probes.items()
        }
        for load in loads.values():
            load.wait_for_begin()
        beside = {name: load.outcome() for name, load in loads.items()}
        outcome = crowd.outcome()
    return watch.growth, outcome, beside


def growth_figure(listeners: int, growth: Memory, crowd: Outcome, goal: Goal) -> Figure:
    """How much larger the processes became at most."""
    share = crowd.cpu_seconds / crowd.seconds
    busy = " (busy: it may be what made listeners wait)" if share > BUSY_LOADER else ""
    return Figure(
        f"{listeners:,} slow listeners: growth (RSS)",
        growth.rss / 1e6,
        "MB",
        goal,
        note=f"PSS {growth.pss / 1e6:.1f} MB, USS {growth.uss / 1e6:.1f} MB, the kernel's sockets "
        f"{growth.sockets / 1e6:.0f} MB; {crowd.body_bytes / crowd.seconds / 1e6:.1f} MB/s; "
        f"load generator {share:.0%} of a CPU{busy}",
    )


def starved_figure(listeners: int, crowd: Outcome) -> Figure:
    """How many got less than they would have played."""
    return Figure(
        f"{listeners:,} slow listeners: starved",
        crowd.starved,
        "listeners",
        goals.STARVED,
        note=f"the worst got {crowd.least_share:.0%} of its rate; "
        f"the longest wait for bytes was {crowd.longest_gap_ms:.0f} ms",
    )


def _probes(scene: Scene, server: Server, folder: Path) -> dict[str, Job]:
    """A few who ask for something small, again and again."""
    probe = Job(
        kind=Kind.WHOLE,
        port=server.port,
        targets=(),
        connections=1,
        seconds=scene.extent.seconds,
        warm_up_seconds=scene.extent.warm_up_seconds,
        pause_seconds=_PROBE_PAUSE_SECONDS,
        headers=jobs.HEADERS,
    )
    pages = {
        name: replace(probe, targets=(_as_it_is(server, path, folder / str(number)),))
        for number, (name, path) in enumerate(PAGES.items())
    }
    targets = jobs.episodes(scene.seeded.large)
    ranges = replace(probe, kind=Kind.RANGES, targets=targets, range_bytes=_SMALL_RANGE)
    return pages | {"a range of 64 KiB": ranges}


def _as_it_is(server: Server, path: str, file: Path) -> Target:
    """A page, whose bytes must be the same every time."""
    address, headers = f"http://localhost:{server.port}{path}", jobs.HEADERS | _PLAIN
    first, second = (httpx2.get(address, headers=headers) for _ in range(2))
    if first.status_code != 200 or first.content != second.content:
        raise FaultError(f"{path} is not the same page every time, or none: {first.status_code}")
    file.write_bytes(first.content)
    return Target(path, str(file))


_PLAIN = {"Accept-Encoding": "identity"}
