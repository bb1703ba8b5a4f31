"""What a connection of uvicorn costs, and how it learns that its socket has room."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
import uvicorn
import uvloop

from hosting.servers.uvicorn_protocol import MediaProtocol
from hosting.servers.writability import Writability, writability

type Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A full socket, and its peer."""
    own, peer = socket.socketpair()
    with closing(own), closing(peer):
        fill(own)
        yield own, peer


def fill(own: socket.socket) -> None:
    own.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            own.send(bytes(65536))


def empty(peer: socket.socket) -> None:
    peer.setblocking(False)
    with suppress(BlockingIOError):
        while peer.recv(65536):
            pass


def asked(watch: Writability, own: socket.socket) -> asyncio.Future[None]:
    future = asyncio.get_running_loop().create_future()
    watch.tell(own.fileno(), future)
    return future


async def check_told_of_room(watch: Writability, own: socket.socket, peer: socket.socket) -> None:
    """Not while the socket is full, and then when its peer has taken everything."""
    future = asked(watch, own)
    await asyncio.sleep(0.02)
    assert not future.done()
    empty(peer)
    async with asyncio.timeout(5):
        await future


async def test_room_is_told_when_there_is_some_and_once_for_each_question(pair: Pair) -> None:
    own, peer = pair
    for _ in range(3):
        await check_told_of_room(writability(asyncio.get_running_loop()), own, peer)
        fill(own)


async def test_a_broken_connection_is_told(pair: Pair) -> None:
    own, peer = pair
    future = asked(writability(asyncio.get_running_loop()), own)
    peer.close()
    async with asyncio.timeout(5):
        await future


async def test_a_number_that_was_used_before_is_another_socket() -> None:
    watch = writability(asyncio.get_running_loop())
    first, first_peer = socket.socketpair()
    fill(first)
    number = first.fileno()
    forgotten = asked(watch, first)
    first.close()
    own, peer = socket.socketpair()
    with closing(own), closing(peer), closing(first_peer):
        assert number in {own.fileno(), peer.fileno()}
        own, peer = (own, peer) if own.fileno() == number else (peer, own)
        fill(own)
        await check_told_of_room(watch, own, peer)
        assert not forgotten.done()


async def test_who_no_longer_waits_is_passed_over(pair: Pair) -> None:
    own, peer = pair
    watch = writability(asyncio.get_running_loop())
    asked(watch, own).cancel()
    empty(peer)
    await asyncio.sleep(0.02)
    future = asked(watch, own)
    async with asyncio.timeout(5):
        await future


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hi"})


def test_a_connection_needs_no_dictionary() -> None:
    """Python 3.13 keeps up to 30 attributes in the object itself (PEP 412's shared keys)."""
    made: list[MediaProtocol] = []

    async def scenario() -> None:
        config = uvicorn.Config(_hello, http=MediaProtocol, log_config=None)
        state = uvicorn.Server(config).server_state
        loop = asyncio.get_running_loop()

        def make() -> MediaProtocol:
            made.append(MediaProtocol(config, state, {}))
            return made[-1]

        server = await loop.create_server(make, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(b"HTTP/1.1 200")
        assert len(vars(made[0])) <= 30
        writer.close()
        server.close()

    uvloop.run(scenario())
    assert len(made) == 1
