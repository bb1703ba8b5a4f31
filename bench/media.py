"""Whole files and ranges, against nginx and against what Django offers."""

from collections.abc import Iterator
from dataclasses import replace

from bench import goals, jobs
from bench.goals import Goal
from bench.load.job import Kind
from bench.measuring import MEGABYTES, REQUESTS, Alone, Comparison, compare, median_of
from bench.network import like_a_network
from bench.scenario import Scene, say
from bench.servers import PEERS_PYTHON, Server, nginx_or_none, plain_app

# Whoever is at its limit has a CPU to itself, and the engines share the other's.
_FIGURES = {
    Kind.WHOLE: ("whole files, 8 connections", MEGABYTES, Alone.LOAD),
    Kind.RANGES: ("ranges, 32 connections", REQUESTS, Alone.SERVER),
}


def measure_media(scene: Scene) -> Iterator[Comparison]:
    """Whatever is there to compare with: nginx may be missing, and the peers' packages."""
    files = scene.seeded.media_root
    with nginx_or_none(files) as nginx:
        if nginx is not None:
            yield _against(scene, nginx, Kind.WHOLE, goals.WHOLE, times=3)
            yield _against(scene, nginx, Kind.RANGES, goals.RANGES)
            yield _over_network(scene, nginx)
    yield from _first_way(scene)
    with plain_app("fileresponse", "Django FileResponse", files) as peer:
        yield _against(scene, peer, Kind.WHOLE)
    with plain_app("plain_ranges", "plain async view", files) as peer:
        yield _against(scene, peer, Kind.RANGES)


def _against(
    scene: Scene, peer: Server, kind: Kind, goal: Goal | None = None, *, times: int = 1
) -> Comparison:
    """``times``: how many rounds instead of one, where single ones scatter."""
    name, rate, alone = _FIGURES[kind]
    large = scene.seeded.large
    return compare(
        name,
        rate,
        (scene.server, jobs.fast(scene, kind, scene.server, jobs.episodes(large))),
        (peer, jobs.fast(scene, kind, peer, jobs.plain_files(large))),
        rounds=times * scene.extent.rounds,
        goal=goal,
        alone=alone,
    )


def _over_network(scene: Scene, nginx: Server) -> Comparison:
    name, rate, alone = _FIGURES[Kind.RANGES]
    ours = jobs.fast(scene, Kind.RANGES, scene.server, jobs.episodes(scene.seeded.large))
    theirs = jobs.fast(scene, Kind.RANGES, nginx, jobs.plain_files(scene.seeded.large))
    with like_a_network(is_own_loopback=scene.is_own_loopback) as network:
        found = compare(
            f"{name}, as over a network",
            rate,
            (scene.server, network.over(ours)),
            (nginx, network.over(theirs)),
            rounds=scene.extent.rounds,
            goal=goals.RANGES_OVER_NETWORK,
            alone=alone,
        )
    for sample in (*found.ours, *found.theirs):
        network.check(sample.outcome)
    largest = max(sample.outcome.segment_bytes for sample in (*found.ours, *found.theirs))
    return replace(
        found, note=f"segments of {largest:,} bytes came, by way of {network.description}"
    )


def _first_way(scene: Scene) -> Iterator[Comparison]:
    """django-fileresponse behind each server, of which the faster one is the peer."""
    if not PEERS_PYTHON.exists():
        say(f"django-fileresponse is left out: there is no {PEERS_PYTHON.parent.parent.name}")
        return
    found = []
    for server in ("uvicorn", "Daphne"):
        with plain_app(
            "django_fileresponse",
            f"django-fileresponse 0.1, {server}",
            scene.seeded.media_root,
            python=PEERS_PYTHON,
            on_daphne=server == "Daphne",
        ) as peer:
            found.append(_against(scene, peer, Kind.WHOLE, goals.FIRST_WAY))
    slower, faster = sorted(found, key=lambda one: median_of(one.theirs, MEGABYTES.of))
    speed = median_of(slower.theirs, MEGABYTES.of)
    yield replace(faster, note=f"{slower.peer}: {speed:.1f} MB/s, ratio {slower.ratio:.1f}")
