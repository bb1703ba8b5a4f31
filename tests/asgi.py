"""A client for an ASGI application in this process, which can also leave in the middle."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync


@dataclass
class Reply:
    """What came back; incomplete when the application ended without the last message."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False


type Application = Callable[..., Awaitable[None]]


def call(
    application: Application,
    method: str,
    target: str,
    headers: Mapping[str, str] | None = None,
    *,
    body: Iterable[bytes] = (),
    leave_after: int | None = None,
    has_backpressure: bool = True,
    sends_files: bool = False,
) -> Reply:
    """One request; with `leave_after`, the client takes so many bytes, then is gone.

    With -1 it leaves before the headers are out. The application then hangs in `send`, or is
    told nothing by it on a server without backpressure. With `sends_files`, the server is one
    like ours: it sends files by itself, and `send` says that the client is gone.
    """
    client = _sending_client if sends_files else _call
    return async_to_sync(client)(
        application, method, target, headers or {}, body, leave_after, has_backpressure
    )


async def _sending_client(
    application: Application,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: Iterable[bytes],
    leave_after: int | None,
    has_backpressure: bool,
) -> Reply:
    reply = Reply()

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        elif message["type"] == "http.response.zerocopysend":
            at, stop = message["offset"], message["offset"] + message["count"]
            while at < stop:
                piece = os.pread(message["file"], min(100_000, stop - at), at)
                if not piece:
                    raise OSError("the file is too short")
                reply.body += piece
                at += len(piece)
                message["progress"](len(piece))
                if leave_after is not None and len(reply.body) > leave_after:
                    raise ConnectionResetError
        else:
            reply.body += message.get("body", b"")
        if leave_after is not None and len(reply.body) > leave_after:
            raise ConnectionResetError
        is_start = message["type"] == "http.response.start"
        reply.is_complete = not is_start and not message.get("more_body", False)

    async def receive() -> dict[str, Any]:
        raise AssertionError("nobody needs to listen on such a server")

    scope = _scope(method, target, headers)
    scope["asgi"]["spec_version"] = "2.4"
    scope["extensions"] = {"http.response.zerocopysend": {}}
    await application(scope, receive, send)
    return reply


async def _call(
    application: Application,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: Iterable[bytes],
    leave_after: int | None,
    has_backpressure: bool,
) -> Reply:
    reply = Reply()
    pieces = iter([*body, b""])
    gone = asyncio.Event()
    is_sent = False

    async def receive() -> dict[str, Any]:
        nonlocal is_sent
        if not is_sent:
            piece = next(pieces)
            is_sent = piece == b""
            return {"type": "http.request", "body": piece, "more_body": not is_sent}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            reply.body += message.get("body", b"")
            reply.is_complete = not message.get("more_body", False)
        if leave_after is not None and len(reply.body) > leave_after:
            gone.set()
            if has_backpressure:
                await asyncio.Event().wait()

    await application(_scope(method, target, headers), receive, send)
    return reply


def _scope(method: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
    url = urlsplit(target)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": url.path,
        "query_string": url.query.encode(),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        "client": ("192.0.2.7", 40000),
        "server": ("testserver", 80),
    }
