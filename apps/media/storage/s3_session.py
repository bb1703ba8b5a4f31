"""Connections to the bucket for reading: one pool for each event loop, closed as the loop ends."""

import asyncio
import atexit
import os
import socket
import ssl
from collections.abc import AsyncGenerator
from functools import cache

import aiohttp

CONNECTIONS = 1024
"""The most at once: each slow listener holds one."""
CONNECT_SECONDS = 5
SILENCE_SECONDS = 30

# aiohttp stops reading above twice this, and one more read of the socket may come on top: a
# listener who has stopped costs some 450 KiB here, the piece that is being sent included.
READ_BUFFER_BYTES = 64 * 1024
# Left to itself, the kernel would gather megabytes for a listener who once was fast. Within a
# region (2 ms), this much still carries 120 MB/s on each connection.
_RECEIVE_BUFFER_BYTES = 256 * 1024

type _Lifetime = AsyncGenerator[aiohttp.ClientSession]

# Not weak: a session refers to its loop. An entry goes when its session is closed.
_sessions: dict[asyncio.AbstractEventLoop, tuple[aiohttp.ClientSession, _Lifetime]] = {}


async def session() -> aiohttp.ClientSession:
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
    opened = _open()
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


def _open() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=CONNECTIONS, ssl=trusted_certificates(), socket_factory=_make_socket
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity", "User-Agent": "Longwave"},
        skip_auto_headers=["Accept"],
        timeout=aiohttp.ClientTimeout(
            total=None, connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
        ),
        auto_decompress=False,
        read_bufsize=READ_BUFFER_BYTES,
        trust_env=False,
    )


@cache
def trusted_certificates() -> ssl.SSLContext:
    """Whom to trust: the system's authorities, or those that boto3 was told of."""
    named = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return ssl.create_default_context(cafile=named or None)


def _make_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    return made
