"""Connections to the bucket for reading: one pool for each event loop, closed as the loop ends."""

import asyncio
import atexit
import os
import ssl
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import cache, lru_cache
from socket import SOCK_STREAM
from typing import NamedTuple
from urllib.parse import urlsplit

from apps.media.storage.s3_connection import BucketConnection, Buffers, Head, UnansweredError

CONNECTIONS = 1024
"""The most at once: each slow listener holds one."""
CONNECT_SECONDS = 5.0


class Origin(NamedTuple):
    """Where a bucket answers."""

    host: str
    port: int
    is_encrypted: bool


class Answer:
    """The head of an answer and the way to its body; to be finished or closed."""

    def __init__(
        self, session: "Session", origin: Origin, connection: BucketConnection, head: Head
    ) -> None:
        self.head = head
        self._session, self._origin = session, origin
        self._connection: BucketConnection | None = connection

    async def read(self) -> memoryview:
        """What has arrived of the body, at least a byte unless all was read.

        Valid until the next call: the same room is read into again. Raises OSError.
        """
        if self._connection is None:
            raise OSError("the answer is closed")
        return await self._connection.take()

    async def excerpt(self, most_bytes: int) -> bytes:
        """The beginning of a body in whatever form; nothing else can be read then."""
        if self._connection is None or self.head.length == 0:
            return b""
        return await self._connection.excerpt(most_bytes)

    def finish(self) -> None:
        """All was read, and nothing of it is used any more: the connection may be asked again."""
        self._end(is_clean=True)

    def close(self) -> None:
        """Wherever reading has come: what is under way stops coming. May be called twice."""
        self._end(is_clean=False)

    def _end(self, *, is_clean: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            is_clean = is_clean and connection.finish() and self.head.is_kept
            self._session.give_back(self._origin, connection, is_clean)

    def __del__(self) -> None:
        # Nobody has ended it, and any thread may find that out.
        loop = self._session.loop
        if self._connection is not None and not loop.is_closed():
            loop.call_soon_threadsafe(
                self._session.give_back, self._origin, self._connection, False
            )


class Session:
    """One event loop's connections."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._buffers = Buffers()
        self._places = asyncio.Semaphore(CONNECTIONS)
        self.connections: set[BucketConnection] = set()  # all that are open
        self._answered_last: dict[Origin, str] = {}
        self._idle: defaultdict[Origin, list[BucketConnection]] = defaultdict(list)

    async def get(self, address: str, start: int, stop: int) -> Answer:
        """The answer to a GET of bytes [start, stop), whatever it is; raises OSError.

        Asked again, once, when a kept connection turns out to be closed.
        """
        origin, beginning = _request(address)
        request = b"%bRange: bytes=%d-%d\r\n\r\n" % (beginning, start, stop - 1)
        async with asyncio.timeout(CONNECT_SECONDS if self._places.locked() else None):
            await self._places.acquire()
        try:
            connection, head = await self._ask(origin, request)
        except BaseException:
            self._places.release()
            raise
        return Answer(self, origin, connection, head)

    def give_back(self, origin: Origin, connection: BucketConnection, is_clean: bool) -> None:
        """An answer has ended; a clean connection can be asked again."""
        self._places.release()
        if is_clean:
            self._idle[origin].append(connection)
        else:
            connection.abort()

    async def close(self) -> None:
        """Drop all connections, and wait until they are gone."""
        closed = [connection.closed for connection in self.connections]
        for connection in list(self.connections):
            connection.abort()
        if closed:
            await asyncio.wait(closed)

    async def _ask(self, origin: Origin, request: bytes) -> tuple[BucketConnection, Head]:
        kept = self._kept(origin)
        if kept is not None:
            try:
                return kept, await kept.ask(request)
            except UnansweredError:
                pass  # the bucket had closed it
        connection = await self._connect(origin)
        return connection, await connection.ask(request)

    def _kept(self, origin: Origin) -> BucketConnection | None:
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.is_usable:
                return connection
            connection.abort()
        return None

    async def _connect(self, origin: Origin) -> BucketConnection:
        """To one of the name's addresses, first to that which answered last.

        Each has its share of the time, so that one which says nothing leaves some to the others.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await self.loop.getaddrinfo(origin.host, origin.port, type=SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        addresses.sort(key=lambda address: address != self._answered_last.get(origin))
        for number, address in enumerate(addresses, start=1):
            try:
                async with asyncio.timeout(CONNECT_SECONDS / len(addresses)):
                    connection = await self._connect_to(origin, address)
            except OSError:
                if number == len(addresses):
                    raise
            else:
                self._answered_last[origin] = address
                return connection
        raise OSError(f"{origin.host} has no address")

    async def _connect_to(self, origin: Origin, address: str) -> BucketConnection:
        def lose(connection: BucketConnection) -> None:
            self.connections.discard(connection)
            with suppress(ValueError):
                self._idle[origin].remove(connection)

        _, connection = await self.loop.create_connection(
            lambda: BucketConnection(self.loop, self._buffers, lose),
            address,
            origin.port,
            ssl=trusted_certificates() if origin.is_encrypted else None,
            server_hostname=origin.host if origin.is_encrypted else None,
        )
        self.connections.add(connection)
        return connection


@lru_cache(maxsize=1024)
def _request(address: str) -> tuple[Origin, bytes]:
    """Where to ask, and how the request begins: for the path and host that were signed."""
    parts = urlsplit(address)
    is_encrypted = parts.scheme == "https"
    origin = Origin(parts.hostname or "", parts.port or (443 if is_encrypted else 80), is_encrypted)
    target = f"{parts.path or '/'}?{parts.query}"
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Accept-Encoding: identity",
        "User-Agent: Longwave",
    )
    return origin, "".join(f"{line}\r\n" for line in lines).encode("ascii")


type _Lifetime = AsyncGenerator[Session]

# Not weak: a session refers to its loop. An entry goes when its session is closed.
_sessions: dict[asyncio.AbstractEventLoop, tuple[Session, _Lifetime]] = {}


async def session() -> Session:
    """The running event loop's session."""
    loop = asyncio.get_running_loop()
    found = _sessions.get(loop)
    if found is None:
        lifetime = _lifetime(loop)
        _sessions[loop] = found = (await anext(lifetime), lifetime)
    return found[0]


async def _lifetime(loop: asyncio.AbstractEventLoop) -> _Lifetime:
    """A session between its opening and its closing.

    Whoever runs a loop (asyncio.run, the servers) lets it finish the generators that were begun
    in it, before it closes: that is when this one closes the session.
    """
    opened = Session(loop)
    try:
        yield opened
    finally:
        _sessions.pop(loop, None)
        await opened.close()


@atexit.register
def _close_the_rest() -> None:
    """Twisted, hence Daphne, stops its loop without finishing what was begun in it."""
    for loop, (_, lifetime) in list(_sessions.items()):
        if not loop.is_closed() and not loop.is_running():
            loop.run_until_complete(lifetime.aclose())


@cache
def trusted_certificates() -> ssl.SSLContext:
    """Whom to trust: the system's authorities, or those that boto3 was told of."""
    named = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return ssl.create_default_context(cafile=named or None)
