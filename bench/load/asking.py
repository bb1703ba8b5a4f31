"""Which requests a connection makes, in which order, and what must come back for each."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.load.bodies import Body, Gzipped, Nothing, Stretch
from bench.load.job import Job, Kind, Target

MIN_RANGE_BYTES = 64 * 1024
MAX_RANGE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it goes out, and its answer."""

    request: bytes
    status: int
    body: Body


class Asker:
    """Makes endless requests for each connection; the files are read once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._contents = {t.file: Path(t.file).read_bytes() for t in job.targets}
        self._known: set[bytes] = set()

    def exchanges(self, connection: int) -> Iterator[Exchange]:
        """What this connection asks for: the same for the same seed, whoever the server is."""
        chance = random.Random(f"{self._job.seed}-{connection}")
        # A listener of its own: 198.18.0.0/15 is set aside for benchmarks (RFC 2544).
        forwarded = {"X-Forwarded-For": f"198.18.{connection // 250}.{connection % 250 + 1}"}
        while True:
            yield self._exchange(chance.choice(self._job.targets), chance, forwarded)

    def _exchange(self, target: Target, chance: random.Random, headers: dict[str, str]) -> Exchange:
        content = self._contents[target.file]
        match self._job.kind:
            case Kind.WHOLE:
                body: Body = Stretch(content, 0, len(content))
                return Exchange(self._request(target, headers), 200, body)
            case Kind.RANGES:
                start, stop = random_range(chance, len(content))
                headers = headers | {"Range": f"bytes={start}-{stop - 1}"}
                return Exchange(self._request(target, headers), 206, Stretch(content, start, stop))
            case Kind.GZIP:
                body = Gzipped(content, self._known)
                return Exchange(self._request(target, headers), 200, body)
            case Kind.UNCHANGED:
                return Exchange(self._request(target, headers), 304, Nothing())

    def _request(self, target: Target, headers: dict[str, str]) -> bytes:
        lines = [f"GET {target.path} HTTP/1.1", f"Host: localhost:{self._job.port}"]
        lines += [f"{name}: {value}" for name, value in (self._job.headers | headers).items()]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


def random_range(chance: random.Random, size_bytes: int) -> tuple[int, int]:
    """A stretch as podcast apps ask for them, anywhere in the file."""
    length = min(chance.randint(MIN_RANGE_BYTES, MAX_RANGE_BYTES), size_bytes)
    start = chance.randint(0, size_bytes - length)
    return start, start + length
