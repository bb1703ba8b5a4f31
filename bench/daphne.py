"""The same slow listeners on Daphne: ours, which waits for them, and as it comes, which doesn't."""

import time
from collections.abc import Iterator

from bench import goals, jobs
from bench.figure import Figure
from bench.measuring import loading
from bench.memory import Memory
from bench.place import more_web
from bench.recorded import check_recorded
from bench.scenario import Scene
from bench.servers import Server, plain_app
from bench.slow import crowd_job, growth_figure, listen, starved_figure, warm_up

LIMIT_BYTES = 3_000_000_000
# Should we be too late in looking, memory is refused to the peer, and not to the machine.
_REFUSED_BYTES = 8_000_000_000
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
        memory_bytes=_REFUSED_BYTES,
    ) as peer:
        yield _stock(scene, peer, listeners)


def _stock(scene: Scene, peer: Server, listeners: int) -> Figure:
    """How far it grows until the time is over, or until it is killed."""
    targets = jobs.plain_files(scene.seeded.large)
    warm_up(scene, peer, targets)
    job = crowd_job(scene, peer.port, listeners, targets)
    before, most = Memory.of(peer).rss, 0
    ending = f"not stopped within {job.seconds:.0f} s"
    with loading(peer, job):
        began_at = time.monotonic()
        while (seconds := time.monotonic() - began_at) < job.seconds + job.warm_up_seconds:
            most = max(most, Memory.of(peer).rss - before)
            if most > LIMIT_BYTES:
                peer.processes[0].kill()
                ending = f"killed at {most / 1e9:.1f} GB after {seconds:.0f} s"
                break
            time.sleep(_LOOK_SECONDS)
    return Figure(
        f"peer: {peer.name}, {listeners:,} slow listeners: growth", most / 1e6, "MB", note=ending
    )
