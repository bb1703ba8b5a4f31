"""A Twisted connection as the line that files and bodies are sent on: nothing heaps up in it."""

import asyncio
import contextlib
import socket
from typing import Any

from daphne.http_protocol import WebRequest
from twisted.python.failure import Failure

from apps.media.serving import ClientGoneError
from hosting.servers.limits import NOT_SENT_BYTES, SEND_TIMEOUT_SECONDS
from hosting.servers.socket_queue import undelivered_bytes

_CORK: int | None = getattr(socket, "TCP_CORK", None)  # Linux


class RequestLine:
    """The connection of one request for as long as it is answered.

    As the request's push producer (Twisted's IPushProducer) it hears from the transport when that
    has nothing left to send, and when the connection is lost.
    """

    def __init__(self, request: WebRequest) -> None:
        self._request = request
        self._channel = request.channel
        self._transport: Any = self._channel.transport  # twisted.internet.tcp.Server
        self._is_drained = False  # what the transport was given before is unknown
        self._is_lost = False
        self._undelivered = 0  # of what the kernel had taken, when the connection was lost
        self._waiting: asyncio.Future[None] | None = None
        request.registerProducer(self, True)
        request.notifyFinish().addErrback(self._lost)
        self._is_corked = False
        self._socket: socket.socket = self._transport.getHandle()
        if _is_tcp(self._socket):
            with contextlib.suppress(OSError):  # reset meanwhile: it will be told
                self._socket.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT_BYTES
                )

    @property
    def is_lost(self) -> bool:
        return self._is_lost

    def check(self) -> None:
        """Raises ClientGoneError when there is nobody to send to any more."""
        if self._is_lost or self._transport.disconnecting:
            raise self.gone()

    def fileno(self) -> int:
        self.check()
        return int(self._transport.fileno())

    def note_written(self) -> None:
        """The request has written something itself."""
        self._is_drained = False

    def is_drained(self) -> bool:
        return self._is_drained

    async def room(self) -> None:
        self._is_drained = False
        await self.drain()

    async def drain(self) -> None:
        self.check()
        if self._is_drained:
            return
        self._waiting = asyncio.get_running_loop().create_future()
        # A transport tells a paused producer when it is empty. It pauses one itself beyond 64 KiB
        # only; and with nothing to send it finds out as soon as the socket is writable.
        self._transport.producerPaused = True
        self._transport.startWriting()
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._waiting
        except TimeoutError as error:
            self._transport.abortConnection()
            raise self.gone() from error
        finally:
            self._waiting = None
        self.check()

    def gone(self) -> ClientGoneError:
        self._note_undelivered()
        return ClientGoneError(undelivered=self._undelivered)

    def cork(self, is_on: bool) -> None:
        """Whether the kernel waits for full segments: headers, body and last byte go together."""
        if _CORK is None or not _is_tcp(self._socket):
            return
        if is_on is not self._is_corked and not self._is_lost:
            self._socket.setsockopt(socket.IPPROTO_TCP, _CORK, is_on)
            self._is_corked = is_on

    def release(self) -> None:
        """The response is complete: the connection is the next request's."""
        if not self._is_lost:
            self._request.unregisterProducer()

    def end(self) -> None:
        """Close once everything is sent, and don't wait for ever for that."""
        if not self._is_lost:
            self.give_up_in_time()
            self._channel.loseConnection()

    def give_up_in_time(self) -> None:
        """For a connection that is about to close: Twisted watches only those it keeps."""
        self._channel.setTimeout(SEND_TIMEOUT_SECONDS)

    # What the transport calls.

    def pauseProducing(self) -> None:  # noqa: N802
        """Nothing to do: whoever writes here waits in `drain` anyhow."""

    def resumeProducing(self) -> None:  # noqa: N802
        self._is_drained = True
        self._wake()

    def stopProducing(self) -> None:  # noqa: N802
        self._note_undelivered()
        self._is_lost = True
        self._wake()

    def _lost(self, _: Failure) -> None:
        self.stopProducing()

    def _note_undelivered(self) -> None:
        descriptor = self._socket.fileno()
        if descriptor >= 0:
            self._undelivered = undelivered_bytes(descriptor)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def _is_tcp(connection: socket.socket) -> bool:
    return connection.family in {socket.AF_INET, socket.AF_INET6}
