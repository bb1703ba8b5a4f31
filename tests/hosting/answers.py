"""A plain ASGI application that does to a server what views and clients do to it, and keeps count.

`/counts` says what became of all answers: how many begun and ended, how many bytes `send` took for
them, how many of them were told that their client is gone, and how many bytes that client missed.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

type Send = Callable[[Mapping[str, Any]], Awaitable[None]]

PIECE = 128 * 1024
PATTERN = bytes(range(256)) * (PIECE // 256)
ZERO_COPY = "http.response.zerocopysend"
counts = {"taken": 0, "gone": 0, "undelivered": 0, "begun": 0, "ended": 0}


def content(size: int) -> bytes:
    """What `/body` and `/file` answer."""
    return (PATTERN * (size // PIECE + 1))[:size]


def file() -> Path:
    return Path(os.environ["LONGWAVE_TEST_FOLDER"]) / "content"


async def application(scope: Any, receive: Any, send: Send) -> None:
    if scope["type"] != "http":
        raise ValueError("sockets are tested with the whole project")
    counts["begun"] += 1
    query = dict(parse_qsl(scope["query_string"].decode()))
    try:
        await ANSWERS[scope["path"]](send, int(query.get("size", 0)), scope)
    except OSError as error:
        counts["gone"] += 1
        counts["undelivered"] += getattr(error, "undelivered", 0)
        raise
    finally:
        counts["ended"] += 1


async def start(send: Send, length: int | None, status: int = 200) -> None:
    headers = [(b"content-type", b"application/octet-stream")]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def end(send: Send, body: bytes = b"") -> None:
    await send({"type": "http.response.body", "body": body})


async def body(send: Send, size: int, scope: Any) -> None:
    await start(send, size)
    for offset in range(0, size, PIECE):
        piece = PATTERN[: min(PIECE, size - offset)]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        counts["taken"] += len(piece)
    await end(send)


async def chunked(send: Send, size: int, scope: Any) -> None:
    await start(send, None)
    for offset in range(0, size, 1000):
        piece = memoryview(content(size))[offset : offset + 1000]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await end(send)


async def kernel_sent(send: Send, size: int, scope: Any) -> None:
    def progress(count: int) -> None:
        counts["taken"] += count

    assert ZERO_COPY in scope["extensions"]
    descriptor = os.open(file(), os.O_RDONLY)
    try:
        await start(send, size)
        await send(
            {
                "type": ZERO_COPY,
                "file": descriptor,
                "offset": 0,
                "count": size,
                "progress": progress,
            }
        )
    finally:
        os.close(descriptor)


async def small(send: Send, size: int, scope: Any) -> None:
    await start(send, 5)
    await end(send, b"small")


async def broken_off(send: Send, size: int, scope: Any) -> None:
    await start(send, size)
    await send({"type": "http.response.body", "body": content(size // 2), "more_body": True})


async def broken_off_chunks(send: Send, size: int, scope: Any) -> None:
    await start(send, None)
    await send({"type": "http.response.body", "body": content(size), "more_body": True})


async def failing_halfway(send: Send, size: int, scope: Any) -> None:
    await broken_off(send, size, scope)
    raise RuntimeError("a defect")


async def failing(send: Send, size: int, scope: Any) -> None:
    raise RuntimeError("a defect")


async def too_long(send: Send, size: int, scope: Any) -> None:
    await start(send, size)
    await end(send, content(size + 1))


async def too_short(send: Send, size: int, scope: Any) -> None:
    await start(send, size)
    await end(send, content(size - 1))


async def not_modified(send: Send, size: int, scope: Any) -> None:
    await start(send, None, status=304)
    await end(send)


async def later(send: Send, size: int, scope: Any) -> None:
    """A page that takes its time, so that the next request comes before its answer."""
    await asyncio.sleep(0.05)
    await start(send, 5)
    await end(send, b"later")


async def told(send: Send, size: int, scope: Any) -> None:
    text = json.dumps(counts).encode()
    await start(send, len(text))
    await end(send, text)


async def client(send: Send, size: int, scope: Any) -> None:
    text = json.dumps(scope["client"]).encode()
    await start(send, len(text))
    await end(send, text)


ANSWERS: dict[str, Callable[[Send, int, Any], Awaitable[None]]] = {
    "/body": body,
    "/file": kernel_sent,
    "/chunked": chunked,
    "/small": small,
    "/later": later,
    "/broken-off": broken_off,
    "/broken-off-chunks": broken_off_chunks,
    "/failing": failing,
    "/failing-halfway": failing_halfway,
    "/too-long": too_long,
    "/too-short": too_short,
    "/not-modified": not_modified,
    "/counts": told,
    "/client": client,
}
