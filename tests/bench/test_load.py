"""The load generator believes no answer: every byte is compared."""

import gzip
import random
import re
from pathlib import Path

import pytest

from bench.load.__main__ import run
from bench.load.asking import Asker, random_range
from bench.load.job import Job, Kind, Outcome, Target
from bench.load.tally import percentiles
from tests.bench.serving import Answer, response, serving

CONTENT = random.Random(1).randbytes(1_500_000)
COMPRESSED = gzip.compress(CONTENT, compresslevel=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


async def load(answer: Answer, kind: Kind, file: Path, *, seconds: float = 20) -> Outcome:
    async with serving(answer) as port:
        return await run(
            Job(
                kind=kind,
                port=port,
                targets=(Target("/file", str(file)),),
                connections=2,
                seconds=seconds,
                warm_up_seconds=0,
                max_requests=20,
            )
        )


def ranges(request: bytes) -> bytes:
    found = re.search(rb"Range: bytes=(\d+)-(\d+)\r\n", request)
    assert found is not None
    return response(206, CONTENT[int(found[1]) : int(found[2]) + 1])


def flipped(body: bytes, at: int) -> bytes:
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


RIGHT: dict[str, tuple[Kind, Answer]] = {
    "whole files": (Kind.WHOLE, lambda _: response(200, CONTENT)),
    "ranges": (Kind.RANGES, ranges),
    "a compressed body": (Kind.GZIP, lambda _: response(200, COMPRESSED)),
    "a 304, whose length is not its own": (Kind.UNCHANGED, lambda _: response(304, length=9)),
}


@pytest.mark.parametrize("case", RIGHT)
async def test_right_answers_are_counted_with_their_bytes(case: str, file: Path) -> None:
    kind, answer = RIGHT[case]
    outcome = await load(answer, kind, file)
    assert outcome.faults == ()
    assert outcome.requests == 20
    assert (outcome.body_bytes == 0) is (kind is Kind.UNCHANGED)
    assert sum(outcome.answered) >= outcome.requests


async def test_bytes_are_added_up(file: Path) -> None:
    outcome = await load(RIGHT["whole files"][1], Kind.WHOLE, file)
    # Each connection may be in the middle of an answer when measuring begins and when it ends.
    assert outcome.body_bytes == pytest.approx(20 * len(CONTENT), abs=2 * len(CONTENT))


async def test_an_answer_that_never_ends_is_not_forgotten(file: Path) -> None:
    stuck = response(200, CONTENT[:-1], length=len(CONTENT))
    outcome = await load(lambda _: stuck, Kind.WHOLE, file, seconds=0.2)
    assert outcome.requests == 0
    assert outcome.longest_ms >= 200


WRONG: dict[str, tuple[Kind, Answer, str]] = {
    "one wrong bit at the end": (
        Kind.WHOLE,
        lambda _: response(200, flipped(CONTENT, len(CONTENT) - 1)),
        "wrong bytes",
    ),
    "one wrong bit at the beginning": (
        Kind.WHOLE,
        lambda _: response(200, flipped(CONTENT, 0)),
        "wrong bytes",
    ),
    "a file that is too short": (
        Kind.WHOLE,
        lambda _: response(200, CONTENT[:-1]),
        "are promised instead of",
    ),
    "more than was promised": (
        Kind.WHOLE,
        lambda _: response(200, CONTENT + b"x", length=len(CONTENT)),
        "more bytes came",
    ),
    "the right bytes of another range": (
        Kind.RANGES,
        lambda request: flipped(ranges(request), -1 + len(ranges(request))),
        "wrong bytes",
    ),
    "a range answered with the whole file": (
        Kind.RANGES,
        lambda _: response(200, CONTENT),
        "instead of 206",
    ),
    "a body that is not compressed": (
        Kind.GZIP,
        lambda _: response(200, CONTENT),
        "not gzip",
    ),
    "another document": (
        Kind.GZIP,
        lambda _: response(200, gzip.compress(b"another")),
        "not the document",
    ),
    "an error": (Kind.UNCHANGED, lambda _: response(503), "instead of 304"),
    "no length": (Kind.WHOLE, lambda _: b"HTTP/1.1 200 OK\r\n\r\n", "without Content-Length"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_wrong_answer_is_a_fault(case: str, file: Path) -> None:
    kind, answer, expected = WRONG[case]
    outcome = await load(answer, kind, file)
    assert outcome.requests == 0
    assert expected in outcome.faults[0]


async def test_equal_seeds_ask_for_equal_ranges(file: Path) -> None:
    def first_requests(seed: int, connection: int) -> list[bytes]:
        job = Job(Kind.RANGES, 1, (Target("/file", str(file)),), 1, 1.0, seed=seed)
        exchanges = Asker(job).exchanges(connection)
        return [next(exchanges).request for _ in range(5)]

    assert first_requests(1, 0) == first_requests(1, 0)
    assert first_requests(1, 0) != first_requests(2, 0)
    assert first_requests(1, 0) != first_requests(1, 1)


@pytest.mark.parametrize("size", [1, 64 * 1024, 1_000_000, 60_000_000])
def test_ranges_lie_within_the_file(size: int) -> None:
    chance = random.Random(1)
    for _ in range(200):
        start, stop = random_range(chance, size, (64 * 1024, 1024 * 1024))
        assert 0 <= start < stop <= size
        assert min(size, 64 * 1024) <= stop - start <= 1024 * 1024


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], (0.0, 0.0)), ([3.0], (3.0, 3.0)), ([float(n) for n in range(101)], (50.0, 99.0))],
)
def test_percentiles_of_latencies(values: list[float], expected: tuple[float, float]) -> None:
    assert percentiles(values) == expected


def test_a_job_travels_as_json() -> None:
    job = Job(Kind.GZIP, 80, (Target("/a", "/b"),), 3, 1.5, headers={"A": "b"}, seed=7)
    assert Job.from_json(job.to_json()) == job


def test_an_outcome_travels_as_json() -> None:
    outcome = Outcome(
        *(1.0, 2, 3, 0.5, 1.0, 2.0, 4.0), faults=("wrong",), answered=(2, 0), under_way=(0, 3)
    )
    assert Outcome.from_json(outcome.to_json()) == outcome
