"""A bucket that answers as it is told to, over real sockets: for the faults of a real one."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from apps.media.storage.presigned import PresignedAddresses, Wanted
from apps.media.storage.s3_source import S3Source
from tests.waiting import eventually

SECRET = "X-Amz-Signature=c0ffee"


@dataclass
class Request:
    """A ranged GET, and the socket to answer it on."""

    bucket: "Bucket"
    target: str
    headers: dict[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def bounds(self) -> tuple[int, int]:
        """The range that is asked for, half-open."""
        first, last = self.headers["range"].removeprefix("bytes=").split("-")
        return int(first), int(last) + 1

    async def send(self, content: bytes) -> None:
        """Some of a body; returns when the kernel has it."""
        self.writer.write(content)
        await self.writer.drain()
        self.bucket.sent += len(content)

    def begin(self, size_bytes: int) -> None:
        """The head of an answer with this range of an object of this size."""
        start, stop = self.bounds
        self.writer.write(
            f"HTTP/1.1 206 Partial Content\r\nContent-Length: {stop - start}\r\n"
            f"Content-Range: bytes {start}-{stop - 1}/{size_bytes}\r\n\r\n".encode()
        )


type Answer = Callable[[Request], Awaitable[None]]


@dataclass
class Bucket:
    """Answers each request by the next of `answers`, and by the last for ever."""

    answers: list[Answer]
    size_bytes: int
    port: int = 0
    origin: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    sent: int = 0
    """How much of bodies the kernel took."""

    def source(self, *, size_bytes: int | None = None) -> S3Source:
        """The one object, read as in production; every address signed is another."""
        number = count(1)

        def sign(wanted: Wanted, lifetime_seconds: int) -> str:
            return f"{self.origin}/{wanted.key}?n={next(number)}&{SECRET}"

        size = self.size_bytes if size_bytes is None else size_bytes
        return S3Source(PresignedAddresses(sign), "renditions/ab/cd.mp3", size)

    async def all_closed(self) -> None:
        """Wait until no connection is open."""
        await eventually(lambda: not self.open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.add(writer)
        if self.origin.startswith("http:"):  # asyncio's TLS never goes on after a limit of nothing
            writer.transport.set_write_buffer_limits(0)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request = self._parse(head, reader, writer)
                answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
                self.requests.append(request)
                await answer(request)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client left, or the answer was to leave
        finally:
            self.open.discard(writer)
            writer.close()

    def _parse(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Request:
        line, *lines = head.decode().rstrip().split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        headers = {name.lower(): value for name, _, value in pairs}
        return Request(self, line.split()[1], headers, reader, writer)


@asynccontextmanager
async def bucket(
    *answers: Answer, size_bytes: int = 1000, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Bucket]:
    """A server in the running loop, whose socket keeps little."""
    made = Bucket(list(answers), size_bytes)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    made.port = listener.getsockname()[1]
    made.origin = f"{'https' if tls else 'http'}://127.0.0.1:{made.port}"
    server = await asyncio.start_server(made._serve, sock=listener, ssl=tls)
    try:
        yield made
    finally:
        server.close()
        for writer in made.open:
            writer.transport.abort()
        await made.all_closed()


def body(start: int, stop: int) -> bytes:
    """The bytes of the one object, which tell where they stand."""
    words = b"".join(b"%07d." % word for word in range(start // 8, -(-stop // 8)))
    return words[start % 8 :][: stop - start]


def answer(status: int, *headers: str, content: bytes = b"", length: bool = True) -> Answer:
    """This answer to anything."""

    async def write(request: Request) -> None:
        told = [f"HTTP/1.1 {status} Told", *headers]
        if length:
            told.append(f"Content-Length: {len(content)}")
        request.writer.write("\r\n".join([*told, "", ""]).encode() + content)

    return write


def part(size_bytes: int = 1000, *, only: int | None = None) -> Answer:
    """The range that is asked for; of its bytes perhaps only some, before the connection ends."""

    async def write(request: Request) -> None:
        start, stop = request.bounds
        end = stop if only is None else min(stop, start + only)
        request.begin(size_bytes)
        for at in range(start, end, 65536):
            await request.send(body(at, min(at + 65536, end)))
        if end < stop:
            raise ConnectionAbortedError

    return write


async def leave(request: Request) -> None:
    """No answer at all."""
    raise ConnectionAbortedError


async def fall_silent(request: Request) -> None:
    """The beginning of an answer, and then nothing until the client leaves."""
    request.begin(1000)
    await request.send(body(*request.bounds)[:10])
    await request.reader.read()
