"""Whole files and ranges, against plain Django and against nginx."""

import sys
from collections.abc import Iterator

from bench.load.job import Job, Kind, Target
from bench.measuring import Comparison, Sample, compare
from bench.place import nginx_or_none, plain_django
from bench.scenario import Scene

# Counted as an app's, which is the most that a request has to do.
HEADERS = {"User-Agent": "AntennaPod/3.5.0", "Accept": "*/*"}
CONNECTIONS = {Kind.WHOLE: 8, Kind.RANGES: 32}


def measure_media(scene: Scene) -> Iterator[Comparison]:
    """Four comparisons; two where there is no nginx."""
    files = scene.seeded.media_root
    with (
        plain_django("fileresponse", "Django FileResponse", files) as fileresponse,
        plain_django("plain_ranges", "plain async view", files) as plain_ranges,
        nginx_or_none(files) as nginx,
    ):
        if nginx is None:
            sys.stderr.write("There is no nginx on the PATH: it is left out\n")
        for kind, peers in (
            (Kind.WHOLE, (fileresponse, nginx)),
            (Kind.RANGES, (plain_ranges, nginx)),
        ):
            for peer in peers:
                if peer is not None:
                    ours = (scene.server, _job(scene, kind, scene.server.port, is_ours=True))
                    theirs = (peer, _job(scene, kind, peer.port, is_ours=False))
                    yield compare(*_FIGURES[kind], ours, theirs, rounds=scene.extent.rounds)


def _megabytes(sample: Sample) -> float:
    return sample.megabytes_per_second


def _requests(sample: Sample) -> float:
    return sample.requests_per_second


_FIGURES = {
    Kind.WHOLE: ("whole files, 8 connections", "MB/s", _megabytes),
    Kind.RANGES: ("ranges, 32 connections", "req/s", _requests),
}


def _job(scene: Scene, kind: Kind, port: int, *, is_ours: bool) -> Job:
    targets: tuple[Target, ...] = tuple(
        file.as_episode if is_ours else file.as_file for file in scene.seeded.large
    )
    return Job(
        kind=kind,
        port=port,
        targets=targets,
        connections=CONNECTIONS[kind],
        seconds=scene.extent.seconds,
        warm_up_seconds=scene.extent.warm_up_seconds,
        headers=HEADERS,
    )
