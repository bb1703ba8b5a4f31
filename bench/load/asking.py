"""Which requests a connection makes, in which order, and what must come back for each."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.load.bodies import Body, Gzipped, Nothing, Stretch
from bench.load.job import Job, Kind, Target


@dataclass(frozen=True, slots=True)
class Wish:
    """Bytes [start, stop) of a target."""

    target: Target
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it goes out, and its answer."""

    request: bytes
    status: int
    body: Body


def wishes(job: Job, connection: int, sizes: Mapping[str, int]) -> Iterator[Wish]:
    """What this connection asks for: the same for the same seed, whoever the server is."""
    chance = random.Random(f"{job.seed}-{connection}")
    while True:
        target = chance.choice(job.targets)
        size = sizes[target.file]
        ranged = job.kind is Kind.RANGES
        start, stop = random_range(chance, size, job.range_bytes) if ranged else (0, size)
        yield Wish(target, start, stop)


def random_range(
    chance: random.Random, size_bytes: int, limits: tuple[int, int]
) -> tuple[int, int]:
    """A stretch as podcast apps ask for them, anywhere in the file."""
    length = min(chance.randint(*limits), size_bytes)
    start = chance.randint(0, size_bytes - length)
    return start, start + length


def listener_address(connection: int) -> str:
    """A listener of its own: 198.18.0.0/15 is set aside for benchmarks (RFC 2544)."""
    return f"198.18.{connection // 250}.{connection % 250 + 1}"


class Asker:
    """Makes endless requests for each connection; the files are read once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._contents = {t.file: Path(t.file).read_bytes() for t in job.targets}
        self._sizes = {file: len(content) for file, content in self._contents.items()}
        self._known: set[bytes] = set()

    def exchanges(self, connection: int) -> Iterator[Exchange]:
        """The wishes of this connection as requests."""
        headers = {"X-Forwarded-For": listener_address(connection)}
        for wish in wishes(self._job, connection, self._sizes):
            yield self._exchange(wish, headers)

    def _exchange(self, wish: Wish, headers: dict[str, str]) -> Exchange:
        content = self._contents[wish.target.file]
        request = self._request(wish.target, headers)
        match self._job.kind:
            case Kind.WHOLE:
                return Exchange(request, 200, Stretch(content, wish.start, wish.stop))
            case Kind.RANGES:
                headers = headers | {"Range": f"bytes={wish.start}-{wish.stop - 1}"}
                request = self._request(wish.target, headers)
                return Exchange(request, 206, Stretch(content, wish.start, wish.stop))
            case Kind.GZIP:
                return Exchange(request, 200, Gzipped(content, self._known))
            case Kind.UNCHANGED:
                return Exchange(request, 304, Nothing())

    def _request(self, target: Target, headers: dict[str, str]) -> bytes:
        lines = [f"GET {target.path} HTTP/1.1", f"Host: localhost:{self._job.port}"]
        lines += [f"{name}: {value}" for name, value in (self._job.headers | headers).items()]
        return "\r\n".join([*lines, "", ""]).encode("ascii")
