"""Pieces that a source lends: nobody but our own servers is given what will be overwritten."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import pytest

from apps.media.serving import MediaResponse
from apps.media.serving.plan import plan_response
from apps.media.sources import Piece, Segment, SegmentedSource
from tests.media.served import resource

CONTENT = b"".join(b"%07d." % number for number in range(1000))


class Lender:
    """A source with room for 64 bytes, which it uses again for each piece."""

    descriptor: int | None = None

    async def prepare(self, start: int, stop: int) -> None:
        """Nothing to do."""

    async def read(self, start: int, stop: int) -> AsyncGenerator[Piece]:
        room = memoryview(bytearray(64))
        for at in range(start, stop, 64):
            count = min(64, stop - at)
            room[:count] = CONTENT[at : at + count]
            yield room[:count]
            room[:] = bytes(64)

    async def close(self) -> None:
        """Nothing to do."""


async def lender() -> Lender:
    return Lender()


def response(range_: str) -> MediaResponse:
    file = resource(Segment(lender, 3000), Segment(lender, 5000, start=3000))
    plan = plan_response("GET", {"Range": range_} if range_ else {}, file)
    return MediaResponse(plan, SegmentedSource(file.segments), on_sent=lambda sent, final: None)


CASES = {"": (0, 8000), "bytes=10-4009": (10, 4010), "bytes=7999-": (7999, 8000)}


@pytest.mark.parametrize(("asked", "bounds"), CASES.items())
async def test_a_server_that_may_keep_pieces_gets_copies(
    asked: str, bounds: tuple[int, int]
) -> None:
    kept: list[Any] = []

    async def send(message: Mapping[str, Any]) -> None:
        kept.append(message.get("body", b""))

    async with aclosing(response(asked)) as answer:
        await answer.transmit(send, is_kernel_sending=False)
    assert all(type(body) is bytes for body in kept)
    assert b"".join(kept) == CONTENT[slice(*bounds)]


@pytest.mark.parametrize(("asked", "bounds"), CASES.items())
async def test_our_own_servers_get_views_but_for_the_last_piece(
    asked: str, bounds: tuple[int, int]
) -> None:
    sent, last = bytearray(), None

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal last
        last = message.get("body", b"")
        sent.extend(last)

    async with aclosing(response(asked)) as answer:
        await answer.transmit(send, is_kernel_sending=True)
    assert sent == CONTENT[slice(*bounds)]
    assert type(last) is bytes


@pytest.mark.parametrize(("asked", "bounds"), CASES.items())
async def test_django_s_own_handler_gets_copies(asked: str, bounds: tuple[int, int]) -> None:
    assert b"".join([piece async for piece in response(asked)]) == CONTENT[slice(*bounds)]
