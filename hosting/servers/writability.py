"""Telling when a full socket has room again, also one that a transport of the event loop has."""

import asyncio
import select
from weakref import WeakKeyDictionary


class Writability:
    """An event loop's.

    Event loops refuse to watch a descriptor that one of their transports has. An epoll(7) of our
    own doesn't, and the loop watches that one instead; Linux only.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        loop.add_reader(self._epoll.fileno(), self._wake)

    def tell(self, descriptor: int, future: asyncio.Future[None]) -> None:
        """Set the future, once, when the socket can take more, or is broken.

        Of a socket that is closed meanwhile nothing is ever told: whoever closes it knows, and has
        it forgotten. A later one with the same number may be told too early, which is no news.
        """
        self._waiting[descriptor] = future
        once = select.EPOLLOUT | select.EPOLLONESHOT
        try:
            self._epoll.modify(descriptor, once)
        except FileNotFoundError:  # for the first time since the socket was made
            self._epoll.register(descriptor, once)

    def forget(self, descriptor: int, future: asyncio.Future[None]) -> None:
        """Nobody waits for this any more; the number may be another socket's by now."""
        if self._waiting.get(descriptor) is future:
            del self._waiting[descriptor]

    def _wake(self) -> None:
        for descriptor, _ in self._epoll.poll(0):
            future = self._waiting.pop(descriptor, None)
            if future is not None and not future.done():
                future.set_result(None)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Writability] = WeakKeyDictionary()


def writability(loop: asyncio.AbstractEventLoop) -> Writability:
    """This loop's, made when first asked for; it ends with the loop."""
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Writability(loop)
    return found
