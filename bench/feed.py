"""The feed of 300 episodes, unchanged or compressed, against rendering it for every request."""

import http.client
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.load.job import Job, Kind, Target
from bench.measuring import REQUESTS, Comparison, compare
from bench.scenario import Scene
from bench.servers import Server, plain_app
from bench.stored import HANDLE

PATH = f"/feeds/{HANDLE}.xml"
HEADERS = {"User-Agent": "AntennaPod/3.5.0", "Accept-Encoding": "gzip"}
CONNECTIONS = 16
_NAMES = {Kind.UNCHANGED: "feed, If-None-Match: 304", Kind.GZIP: "feed, gzip"}


def measure_feed(scene: Scene) -> Iterator[Comparison]:
    """Both ways of asking; the peer must render the very document that Longwave stores."""
    with (
        tempfile.TemporaryDirectory(prefix="longwave-bench-") as folder,
        plain_app("plain_feed", "plain view, rendering") as peer,
    ):
        document = Path(folder, "feed.xml")
        document.write_bytes(scene.seeded.feed_xml)
        for kind, name in _NAMES.items():
            ours, theirs = (
                (server, _job(scene, kind, server, document)) for server in (scene.server, peer)
            )
            yield compare(name, REQUESTS, ours, theirs, rounds=scene.extent.rounds)


def _job(scene: Scene, kind: Kind, server: Server, document: Path) -> Job:
    known = {"If-None-Match": _etag(server)} if kind is Kind.UNCHANGED else {}
    return Job(
        kind=kind,
        port=server.port,
        targets=(Target(PATH, str(document)),),
        connections=CONNECTIONS,
        seconds=scene.extent.seconds,
        warm_up_seconds=scene.extent.warm_up_seconds,
        headers=HEADERS | known,
    )


def _etag(server: Server) -> str:
    """What the server itself calls its compressed feed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", PATH, headers=HEADERS)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.headers["ETag"]
