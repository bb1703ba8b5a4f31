"""The order in which files go out to many clients."""

import asyncio
import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from apps.media.serving import ClientGoneError
from hosting.servers import file_sending
from hosting.servers.file_sending import FileMessage, send_file


class Socket:
    """A `Line` over one end of a pair that has room for all."""

    def __init__(self, own: socket.socket) -> None:
        self._own = own

    def fileno(self) -> int:
        return self._own.fileno()

    def is_drained(self) -> bool:
        return True

    async def drain(self) -> None:
        raise AssertionError("nothing waits")

    async def room(self) -> None:
        raise AssertionError("there is room in the socket")

    def gone(self) -> ClientGoneError:
        return ClientGoneError()


def test_all_who_have_asked_are_understood_before_the_first_gets_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audio"
    path.write_bytes(b"0123456789")
    happened: list[str] = []

    def sendfile(out: int, source: int, offset: int, count: int) -> int:
        happened.append("sent")
        return os.sendfile(out, source, offset, count)

    class Watched:
        def __getattr__(self, name: str) -> object:
            return sendfile if name == "sendfile" else getattr(os, name)

    monkeypatch.setattr(file_sending, "os", Watched())

    async def answer(line: Socket, descriptor: int) -> None:
        happened.append("understood")
        await send_file(line, FileMessage(descriptor, 2, 5, lambda count: None, None))

    async def scenario(lines: list[Socket], descriptor: int) -> None:
        await asyncio.gather(*[answer(line, descriptor) for line in lines])

    pairs = [socket.socketpair() for _ in range(3)]
    with path.open("rb") as file:
        asyncio.run(scenario([Socket(own) for own, _ in pairs], file.fileno()))
    for own, peer in pairs:
        with closing(own), closing(peer):
            assert peer.recv(100) == b"23456"
    assert happened == ["understood"] * 3 + ["sent"] * 3
