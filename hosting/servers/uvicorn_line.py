"""A connection of uvicorn as the line that files are sent on; thousands of them wait at once."""

import asyncio
import socket
from collections.abc import Awaitable

from apps.media.serving import ClientGoneError
from hosting.servers.flow import Flow
from hosting.servers.limits import FAST_WAIT_SECONDS, NOT_SENT_BYTES, NOT_SENT_BYTES_FAST
from hosting.servers.socket_queue import undelivered_bytes
from hosting.servers.writability import writability


class SocketLine:
    """The sending side of one connection; also the `CorkedLine` of what is answered on it."""

    __slots__ = (
        "_flow",
        "_is_corked",
        "_is_fast",
        "_loop",
        "_room",
        "_socket",
        "_transport",
        "_undelivered",
        "active_at",
        "waiting_since",
    )

    def __init__(
        self, transport: asyncio.Transport, flow: Flow, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._transport = transport
        self._flow = flow
        self._loop = loop
        self.active_at = loop.time()  # when it was made, or the last response ended
        self.waiting_since: float | None = None  # for the client to take something
        self._room: asyncio.Future[None] | None = None  # is waited for, or was
        self._is_corked = False
        self._is_fast = False
        self._undelivered = 0  # of what the kernel had taken, when the connection was lost
        # Only to look at and to set options: the transport owns the descriptor.
        self._socket = _tcp_socket(transport)
        if self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT_BYTES)

    @property
    def is_plain_tcp(self) -> bool:
        """Whether there is a socket of the network to which the kernel can send files."""
        return self._socket is not None

    def fileno(self) -> int:
        if self._socket is None or self._transport.is_closing():
            raise self.gone()
        return self._socket.fileno()

    def is_drained(self) -> bool:
        return not self._flow.write_paused

    async def drain(self) -> None:
        await self._wait(self._flow.drain())

    async def room(self) -> None:
        self._room = self._loop.create_future()
        writability(self._loop).tell(self.fileno(), self._room)
        await self._wait(self._room)

    async def _wait(self, event: Awaitable[object]) -> None:
        """For the client, who may leave meanwhile, or take nothing for too long."""
        began = self.waiting_since = self._loop.time()
        try:
            await event
        finally:
            self.waiting_since = None
        if self._transport.is_closing():
            raise self.gone()
        self._adapt(self._loop.time() - began)

    def gone(self) -> ClientGoneError:
        self._note_undelivered()
        return ClientGoneError(undelivered=self._undelivered)

    def push(self) -> None:
        """Let the kernel send all it has, and wait for full segments again after that.

        One call instead of two: tcp(7) has TCP_NODELAY push even what is corked.
        """
        if self._flow.write_paused:  # the kernel has not got everything yet
            self.cork(False)
        elif self._socket is not None and self._is_corked:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def cork(self, is_on: bool) -> None:
        """Whether the kernel waits for full segments."""
        if self._socket is not None and is_on is not self._is_corked:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, is_on)
            self._is_corked = is_on

    def let_go(self) -> None:
        """The connection is lost, or no longer one of HTTP."""
        self._note_undelivered()
        if not self._transport.is_closing():
            self.cork(False)
        room, own = self._room, self._socket
        if room is not None and not room.done():
            if own is not None:
                writability(self._loop).forget(own.fileno(), room)
            room.set_result(None)
        if own is not None:
            own.detach()
            self._socket = None

    def _note_undelivered(self) -> None:
        if self._socket is not None:
            self._undelivered = undelivered_bytes(self._socket.fileno())

    def _adapt(self, waited: float) -> None:
        """Let the kernel hold more for a client that takes it at once."""
        is_fast = waited < FAST_WAIT_SECONDS * (10 if self._is_fast else 1)
        if is_fast is not self._is_fast and self._socket is not None:
            size = NOT_SENT_BYTES_FAST if is_fast else NOT_SENT_BYTES
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)
            self._is_fast = is_fast


def _tcp_socket(transport: asyncio.Transport) -> socket.socket | None:
    """The transport's own, as a second object of the same descriptor; None if it encrypts."""
    info = transport.get_extra_info("socket")
    if info is None or transport.get_extra_info("sslcontext") is not None:
        return None
    if info.family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    return socket.socket(info.family, info.type, fileno=info.fileno())
