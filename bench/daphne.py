"""The same slow listeners on Daphne: ours, which waits for them, and as it comes, which doesn't."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from bench import goals, jobs
from bench.figure import Figure
from bench.measuring import loading
from bench.memory import socket_bytes
from bench.place import more_web
from bench.recorded import check_recorded
from bench.scenario import Scene
from bench.servers import Server, plain_app
from bench.slow import crowd_job, growth_figure, listen, starved_figure, warm_up

LIMIT_BYTES = 3_000_000_000
_LOOK_SECONDS = 0.05


def measure_daphne(scene: Scene) -> Iterator[Figure]:
    """Ours first: the peer may leave the machine in a sweat."""
    listeners = scene.extent.crowds[0]
    with more_web(scene.instance, "Longwave on Daphne", server="daphne") as ours:
        growth, crowd, _ = listen(scene, ours, listeners, {})
        check_recorded(scene, ours)
    for figure in (
        growth_figure(listeners, growth, crowd, goals.GROWTH_ON_DAPHNE),
        starved_figure(listeners, crowd),
    ):
        yield Figure(
            f"on Daphne, {figure.name}", figure.value, figure.unit, figure.goal, note=figure.note
        )
    with plain_app(
        "plain_ranges",
        "a plain async view on stock Daphne",
        scene.seeded.media_root,
        on_daphne=True,
    ) as peer:
        _give_way(peer)
        yield _stock(scene, peer, listeners)


def _give_way(peer: Server) -> None:
    """Should we be too late in looking, it is the first that the system takes memory from."""
    for process in peer.processes:
        with suppress(OSError):
            Path(f"/proc/{process.pid}/oom_score_adj").write_text("1000")


def _stock(scene: Scene, peer: Server, listeners: int) -> Figure:
    """How far it grows until the time is over, or until it is killed."""
    targets = jobs.plain_files(scene.seeded.large)
    warm_up(scene, peer, targets)
    job = crowd_job(scene, peer.port, listeners, targets)
    limit = min(LIMIT_BYTES, psutil.virtual_memory().available // 3)
    before, most, ending = _rss(peer), 0, f"not stopped within {job.seconds:.0f} s"
    before_sockets, most_sockets = socket_bytes(), 0
    with loading(peer, job) as load:
        began_at = time.monotonic()
        while (seconds := time.monotonic() - began_at) < job.warm_up_seconds + job.seconds:
            time.sleep(_LOOK_SECONDS)
            most = max(most, _rss(peer) - before)
            most_sockets = max(most_sockets, socket_bytes() - before_sockets)
            if most > limit:
                peer.processes[0].kill()
                ending = f"killed at {most / 1e9:.1f} GB after {seconds:.0f} s"
                break
        else:
            load.wait_for_begin()
            load.outcome()  # it may have stayed small for answering nothing
    name = f"peer: {peer.name}, {listeners:,} slow listeners: growth"
    # The kernel's buffers fill up first, unless somebody limits them as we do.
    note = f"{ending}; the kernel's sockets {most_sockets / 1e6:.0f} MB"
    return Figure(name, most / 1e6, "MB", note=note)


def _rss(server: Server) -> int:
    """Only this: a look at every page, twenty times a second, would hold the peer up."""
    return sum(process.memory_info().rss for process in server.processes)
