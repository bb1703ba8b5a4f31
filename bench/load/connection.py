"""One kept connection: asks, checks what comes, asks again, without copying bodies."""

import asyncio
import time
from collections.abc import Iterator
from typing import Protocol, cast

from bench.load.asking import Exchange
from bench.load.bodies import FaultError

MAX_HEAD_BYTES = 16 * 1024
# One for all connections: what a loop receives is looked at before it receives again, and bytes
# that are still in the CPU's cache are compared much faster.
_BUFFER = memoryview(bytearray(128 * 1024))


class Observer(Protocol):
    """Whoever adds up what the connections do."""

    def received(self, count: int) -> None:
        """Bytes of bodies, found right."""

    def answered(self, seconds: float) -> None:
        """A whole answer, found right, that took so long."""

    def failed(self, reason: str) -> None:
        """Something went wrong; the measurement is over."""


class Connection(asyncio.BufferedProtocol):
    """HTTP/1.1, as much of it as answers with a Content-Length need."""

    def __init__(
        self, exchanges: Iterator[Exchange], observer: Observer, pause_seconds: float = 0.0
    ) -> None:
        self._exchanges = exchanges
        self._observer = observer
        self._pause_seconds = pause_seconds
        # Not the loop's time, which uvloop reads once a turn and in milliseconds.
        self._clock = time.perf_counter
        self._asked_at = self._clock()
        self._is_waiting = False
        self._head = b""
        self._left: int | None = None  # of the body; None while the headers come
        self._is_closing = False
        self.answered = 0
        self.under_way = 0  # bytes of the body that is coming

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_closing:
            self._observer.failed(f"the server closed a connection in use ({exc})")

    @property
    def waiting_seconds(self) -> float:
        """How long the answer that is under way has been waited for."""
        return self._clock() - self._asked_at if self._is_waiting else 0.0

    def close(self) -> None:
        """Leave, also in the middle of an answer."""
        self._is_closing = True
        self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_closing:
            return
        try:
            self._take(_BUFFER[:nbytes])
        except FaultError as fault:
            self._observer.failed(str(fault))
            self.close()

    def _ask(self) -> None:
        if self._is_closing:
            return
        self._exchange = next(self._exchanges)
        self._head, self._left, self.under_way = b"", None, 0
        self._asked_at, self._is_waiting = self._clock(), True
        self._transport.write(self._exchange.request)

    def _take(self, data: memoryview) -> None:
        if not self._is_waiting:
            raise FaultError("bytes came that nobody asked for")
        if self._left is None:
            head, end, rest = (self._head + bytes(data)).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                if len(head) > MAX_HEAD_BYTES:
                    raise FaultError("the headers have no end")
                return
            self._left = self._read_head(head)
            data = memoryview(rest)
        if len(data) > self._left:
            raise FaultError("more bytes came than were promised")
        if data:
            self._exchange.body.feed(data)
            self._left -= len(data)
            self.under_way += len(data)
            self._observer.received(len(data))
        if not self._left:
            self._finish()

    def _finish(self) -> None:
        self._exchange.body.finish()
        self.answered, self.under_way, self._is_waiting = self.answered + 1, 0, False
        self._observer.answered(self._clock() - self._asked_at)
        if self._pause_seconds:
            asyncio.get_running_loop().call_later(self._pause_seconds, self._ask)
        else:
            self._ask()

    def _read_head(self, head: bytes) -> int:
        """The length of the body that follows."""
        first, *lines = head.split(b"\r\n")
        if first.split(b" ", 2)[1] != str(self._exchange.status).encode():
            raise FaultError(f"{first.decode('latin-1')} instead of {self._exchange.status}")
        fields = dict(line.lower().split(b":", 1) for line in lines)
        if self._exchange.status == 304:  # RFC 9110, 15.4.5: no content, whatever the fields say
            return 0
        if b"content-length" not in fields:
            raise FaultError("an answer without Content-Length")
        length = int(fields[b"content-length"])
        self._exchange.body.check_length(length)
        return length
