"""The loads that several scenarios put on: what is asked, by how many, as whom."""

from collections.abc import Sequence

from bench.load.job import Job, Kind, Target
from bench.scenario import Scene
from bench.servers import Server
from bench.stored import StoredFile

# Counted as an app's, which is the most that a request has to do.
HEADERS = {"User-Agent": "AntennaPod/3.5.0", "Accept": "*/*"}
CONNECTIONS = {Kind.WHOLE: 8, Kind.RANGES: 32}


def episodes(files: Sequence[StoredFile]) -> tuple[Target, ...]:
    """At the addresses at which Longwave answers them."""
    return tuple(file.as_episode for file in files)


def plain_files(files: Sequence[StoredFile]) -> tuple[Target, ...]:
    """At the addresses at which a file server answers them."""
    return tuple(file.as_file for file in files)


def fast(scene: Scene, kind: Kind, server: Server, targets: tuple[Target, ...]) -> Job:
    """Whole files over 8 connections, or random ranges over 32, as fast as they come."""
    return Job(
        kind=kind,
        port=server.port,
        targets=targets,
        connections=CONNECTIONS[kind],
        seconds=scene.extent.seconds,
        warm_up_seconds=scene.extent.warm_up_seconds,
        headers=HEADERS,
    )
