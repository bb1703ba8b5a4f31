"""A client of event streams, in this process."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.test import Client

from tests.live.dialling import PATIENCE


@dataclass
class Stream:
    """What came of one, event by event."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    is_over: bool = False
    has_room: asyncio.Event = field(default_factory=asyncio.Event)
    _arrived: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _inbox: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.has_room.set()

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI's."""
        await self.has_room.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
            return
        self.is_over = not message.get("more_body", False)
        self._arrived.put_nowait(message["body"])

    async def receive(self) -> dict[str, Any]:
        """ASGI's."""
        return await self._inbox.get()

    def ask(self, body: Sequence[bytes] = ()) -> None:
        """Send the whole request."""
        for part in body:
            self._inbox.put_nowait({"type": "http.request", "body": part, "more_body": True})
        self._inbox.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def go(self) -> None:
        """Close the connection."""
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def read(self) -> str:
        """What came next."""
        return (await asyncio.wait_for(self._arrived.get(), PATIENCE)).decode()

    async def event(self) -> dict[str, Any]:
        """The next event's data, whatever comments come before."""
        while True:
            for line in (await self.read()).splitlines():
                if line.startswith("data: "):
                    found: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    return found


def events_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The kind and the data of each event of a piece of a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in lines:
            found.append((lines.get("event", "message"), json.loads(lines["data"])))
    return found


async def next_events(found: Stream) -> list[tuple[str, dict[str, Any]]]:
    """What came next, comments and bare ids apart."""
    while not (events := events_in(await found.read())):
        pass
    return events


type Talk = Callable[[Stream], Awaitable[None]]


def stream(
    application: Any,
    client: Client,
    target: str,
    talk: Talk,
    *,
    method: str = "GET",
    body: Sequence[bytes] = (),
    headers: Mapping[str, str] | None = None,
) -> Stream:
    """Ask as this browser or program, do something meanwhile, and wait until it is all over."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    bearer = str(client.defaults.get("HTTP_AUTHORIZATION", ""))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target.partition("?")[0],
        "query_string": target.partition("?")[2].encode(),
        "headers": [
            (b"host", b"localhost"),
            (b"cookie", cookies.encode()),
            *([(b"authorization", bearer.encode())] if bearer else []),
            *((name.lower().encode(), value.encode()) for name, value in (headers or {}).items()),
        ],
        "client": ("192.0.2.7", 40000),
        "server": ("testserver", 80),
    }

    async def whole() -> Stream:
        found = Stream()
        found.ask(body)
        running = asyncio.ensure_future(application(scope, found.receive, found.send))
        try:
            await asyncio.wait_for(talk(found), PATIENCE)
            if not found.is_over:
                found.go()
            await asyncio.wait_for(running, PATIENCE)
        finally:
            running.cancel()
        return found

    return async_to_sync(whole)()
