"""A server of canned answers, for what looks at answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

type Answer = Callable[[bytes], bytes]
"""What a request's head is answered with, headers and all."""


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[int]:
    """The port on which every request is answered, on connections that are kept."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def response(status: int, body: bytes = b"", *, length: int | None = None) -> bytes:
    """An answer that may promise another length than it has."""
    promised = len(body) if length is None else length
    return f"HTTP/1.1 {status} X\r\nContent-Length: {promised}\r\n\r\n".encode() + body
