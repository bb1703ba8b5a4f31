"""Names of receivers, looked up so that one that hangs keeps nobody else waiting.

asyncio's own look-ups share a few threads of the process, and ``getaddrinfo`` can't be stopped: a
handful of names whose servers never answer would hold them all, and every other receiver with them.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from aiohttp.abc import AbstractResolver, ResolveResult

# A name is given up after this long, although its thread goes on: glibc tries for 5 seconds at
# each of up to three servers, twice (resolv.conf(5)).
LOOKUP_SECONDS = 3.0


class Resolver(AbstractResolver):
    """Looks up as many names at once as it is told, each for a short time.

    A name that hung is not looked up again while its thread still waits: so no tenant holds more
    threads than they have names, and no name more than one.
    """

    def __init__(self, at_once: int) -> None:
        self._threads = _threads(at_once)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError, also for what takes too long."""
        if host in _hanging:
            raise OSError(None, "The name servers don’t answer")
        lookup = self._threads.submit(_look_up, host, port, family)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(lookup), LOOKUP_SECONDS)
        except TimeoutError:
            if not lookup.done():
                _hanging.add(host)
                lookup.add_done_callback(lambda _: _hanging.discard(host))
            raise OSError(None, "The name servers don’t answer") from None

    async def close(self) -> None:
        """The threads are the process's."""


_hanging: set[str] = set()


@cache
def _threads(at_once: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(at_once, thread_name_prefix="webhook-name")


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
    )
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=int(address[1]),
            family=kind,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for kind, _, protocol, _, address in found
    ]
