"""Slow listeners take what they play and no more, and tell when it doesn't come."""

import random
from pathlib import Path

import pytest

from bench.load.__main__ import run
from bench.load.job import Job, Kind, Outcome, Target
from bench.load.listening import PORTION_BYTES
from bench.network import SEGMENT_BYTES, like_a_network
from tests.bench.serving import Answer, response, serving

CONTENT = random.Random(1).randbytes(4_000_000)
RATE = 400_000


async def listen(answer: Answer, folder: Path, *, seconds: float = 1.0) -> Outcome:
    file = folder / "file"
    file.write_bytes(CONTENT)
    async with serving(answer) as port:
        return await run(
            Job(
                kind=Kind.WHOLE,
                port=port,
                targets=(Target("/file", str(file)),),
                connections=3,
                seconds=seconds,
                warm_up_seconds=0.1,
                rate_bytes=(RATE, RATE),
                receive_buffer_bytes=16 * 1024,
            )
        )


async def test_listeners_read_at_their_rate(tmp_path: Path) -> None:
    outcome = await listen(lambda _: response(200, CONTENT), tmp_path)
    assert outcome.faults == ()
    most = 3 * (RATE * outcome.seconds + 2 * PORTION_BYTES)
    assert 0 < outcome.body_bytes <= most
    assert all(0 < count < len(CONTENT) for count in outcome.under_way)


async def test_listeners_who_get_their_rate_do_not_starve(tmp_path: Path) -> None:
    outcome = await listen(lambda _: response(200, CONTENT), tmp_path)
    assert outcome.starved == 0
    assert outcome.least_share == 1.0


async def test_listeners_whose_bytes_stop_coming_starve(tmp_path: Path) -> None:
    some = response(200, CONTENT[:100_000], length=len(CONTENT))
    outcome = await listen(lambda _: some, tmp_path)
    assert outcome.starved == 3
    assert outcome.least_share < 0.5
    assert outcome.longest_gap_ms > 500


async def test_a_wrong_byte_is_a_fault_at_any_pace(tmp_path: Path) -> None:
    wrong = CONTENT[:90_000] + bytes([CONTENT[90_000] ^ 1]) + CONTENT[90_001:]
    outcome = await listen(lambda _: response(200, wrong), tmp_path, seconds=20)
    assert "wrong bytes" in outcome.faults[0]


@pytest.mark.parametrize("is_small", [False, True])
async def test_clients_can_ask_for_a_networks_segments(tmp_path: Path, is_small: bool) -> None:
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    targets = (Target("/file", str(file)),)
    async with serving(lambda _: response(200, CONTENT)) as port:
        job = Job(Kind.WHOLE, port, targets, 1, 20, warm_up_seconds=0, max_requests=3)
        with like_a_network(is_own_loopback=False) as network:
            outcome = await run(network.over(job) if is_small else job)
    assert outcome.requests == 3
    assert (outcome.segment_bytes <= SEGMENT_BYTES) is is_small


async def test_pauses_lie_between_answers(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a page")
    targets = (Target("/file", str(file)),)
    async with serving(lambda _: response(200, b"a page")) as port:
        job = Job(Kind.WHOLE, port, targets, 1, 20, 0, max_requests=5, pause_seconds=0.02)
        outcome = await run(job)
    assert outcome.requests == 5
    assert outcome.seconds > 4 * 0.02
