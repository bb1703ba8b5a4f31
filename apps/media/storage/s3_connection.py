"""One connection to a bucket: HTTP/1.1 as far as ranged GETs need it, read without copies."""

import asyncio
import re
import socket
from collections.abc import Callable
from typing import NamedTuple, cast

from apps.media.sources import CHUNK_BYTES

SILENCE_SECONDS = 30.0
"""A bucket that says nothing for so long, while it should, is given up, at most twice as late."""

KEPT_SECONDS = 15.0
"""For how long a connection may wait for its next request: S3 keeps them a little longer."""

# Left to itself, the kernel would gather megabytes for a listener who once was fast. Within a
# region (2 ms), this much still carries 120 MB/s on each connection.
_RECEIVE_BUFFER_BYTES = 256 * 1024
_MAX_HEAD_BYTES = 32 * 1024
_MAX_SPARE_BUFFERS = 64

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: .*)?")
_LENGTH = re.compile(rb"\d{1,18}")
_NOWHERE = memoryview(bytearray(4096))  # for what comes when nobody has asked


class NotHTTPError(OSError):
    """What came is no answer to a GET."""


class ClosedError(OSError):
    """The connection is closed."""


class UnansweredError(ClosedError):
    """It was closed without a byte of an answer, as one that was kept for too long is."""


class Head(NamedTuple):
    """The beginning of an answer."""

    status: int
    length: int | None
    """Of the body; None when it is not told, as with one in chunks."""
    content_range: str
    is_kept: bool
    """Whether the connection may be used again once the body is read."""


class Buffers:
    """Room to read into, used again: new room would be pages that the system has to clear."""

    def __init__(self) -> None:
        self._spare: list[memoryview] = []

    def take(self) -> memoryview:
        return self._spare.pop() if self._spare else memoryview(bytearray(CHUNK_BYTES))

    def give_back(self, buffer: memoryview) -> None:
        if len(self._spare) < _MAX_SPARE_BUFFERS:
            self._spare.append(buffer)


class BucketConnection(asyncio.BufferedProtocol):
    """Answers one request after the other; between them it waits to be asked.

    What has arrived lies in one buffer, in [begin, end): behind it there is room for more until
    the buffer is full, and reading pauses then until all of it was taken.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        buffers: Buffers,
        when_lost: "Callable[[BucketConnection], object]",
    ) -> None:
        self._loop, self._buffers, self._when_lost = loop, buffers, when_lost
        self._transport: asyncio.Transport | None = None
        self._buffer: memoryview | None = None  # while an answer is read
        self._begin = self._end = 0
        self._left = 0  # of the body, to be taken
        self._is_paused = False
        self._fault: OSError | None = None  # why nothing more will come
        self._waiter: asyncio.Future[None] | None = None
        self._wait_ends_at = 0.0
        self._idle_since = loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self.closed: asyncio.Future[None] = loop.create_future()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        own: socket.socket = transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._watch = self._loop.call_later(SILENCE_SECONDS, self._check_silence)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _NOWHERE if self._buffer is None else self._buffer[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        if self._buffer is None:
            self.abort()
            return
        self._end += nbytes
        if self._end == len(self._buffer) and self._transport is not None:
            self._transport.pause_reading()
            self._is_paused = True
        self._wake()

    def eof_received(self) -> None:
        """Nothing more will come; returning nothing closes the connection."""
        self._fault = self._fault or ClosedError("it was closed by the bucket")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fault = self._fault or ClosedError(f"it was lost ({exc or 'closed'})")
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        self._wake()
        self._when_lost(self)
        self.closed.set_result(None)

    # What readers call.

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked, as far as is known here."""
        idle_seconds = self._loop.time() - self._idle_since
        return self._fault is None and self._buffer is None and idle_seconds < KEPT_SECONDS

    async def ask(self, request: bytes) -> Head:
        """The head of the answer; the body is then taken with `take`, to its end, or never.

        Raises OSError: UnansweredError, if another connection may be tried.
        """
        if self._transport is None:
            raise UnansweredError("it is closed")
        self._buffer, self._begin, self._end = self._buffers.take(), 0, 0
        self._transport.write(request)
        try:
            while (head := await self._next_head(self._buffer)).status < 200:
                pass  # what comes before the answer: RFC 9110, 15.2
        except BaseException:
            self.abort()
            raise
        self._left = head.length or 0
        return head

    async def take(self) -> memoryview:
        """What has arrived of the body, at least a byte unless all was taken; raises OSError.

        Valid until the next call.
        """
        return await self._take(self._left) if self._left else _NOWHERE[:0]

    async def excerpt(self, most_bytes: int) -> bytes:
        """The beginning of a body of whatever form, to look at; to be followed by `abort`."""
        try:
            return bytes((await self._take(most_bytes))[:most_bytes])
        except OSError:
            return b""

    def finish(self) -> bool:
        """Whether the answer was taken to its end, and nothing else came: it can be asked again.

        To be called when nothing that was taken is used any more: the room is the next one's.
        """
        buffer, self._buffer, self._idle_since = self._buffer, None, self._loop.time()
        if buffer is None or self._left or self._begin < self._end or self._fault is not None:
            return False
        self._buffers.give_back(buffer)
        self._go_on_reading()
        return True

    def abort(self) -> None:
        """Whatever is under way stops coming."""
        self._fault = self._fault or ClosedError("it was closed here")
        if self._transport is not None:
            self._transport.abort()

    async def _take(self, most: int) -> memoryview:
        if self._begin == self._end:
            self._begin = self._end = 0
            self._go_on_reading()
            await self._wait()
        if self._buffer is None:
            raise ClosedError("nothing was asked for")
        start, stop = self._begin, min(self._end, self._begin + most)
        self._begin = stop
        self._left -= min(self._left, stop - start)
        return self._buffer[start:stop]

    def _go_on_reading(self) -> None:
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    async def _next_head(self, buffer: memoryview) -> Head:
        while True:
            arrived = bytes(buffer[self._begin : min(self._end, self._begin + _MAX_HEAD_BYTES)])
            text, end, _ = arrived.partition(b"\r\n\r\n")
            if end:
                self._begin += len(text) + len(end)
                return parse_head(text)
            if len(arrived) == _MAX_HEAD_BYTES:
                raise NotHTTPError("the head of the bucket's answer has no end")
            try:
                await self._wait()
            except ClosedError as error:
                raise error if self._end else UnansweredError(*error.args) from None

    async def _wait(self) -> None:
        """Until more has arrived."""
        before = self._end
        if self._fault is None:
            self._waiter = self._loop.create_future()
            self._wait_ends_at = self._loop.time() + SILENCE_SECONDS
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._end == before and self._fault is not None:
            raise self._fault

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _check_silence(self) -> None:
        """One timer for the connection: to make one for each wait would cost more than it does."""
        is_waiting = self._waiter is not None and not self._waiter.done()
        left = self._wait_ends_at - self._loop.time() if is_waiting else SILENCE_SECONDS
        if left <= 0:
            self._fault = TimeoutError(f"nothing came for {SILENCE_SECONDS:g} seconds")
            self._wake()
        if left <= 0 or (self._buffer is None and not self.is_usable):
            self.abort()
        else:
            self._watch = self._loop.call_later(left, self._check_silence)


def parse_head(text: bytes) -> Head:
    """A status line and header fields, without the empty line; raises NotHTTPError."""
    first, *lines = text.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise NotHTTPError("the bucket does not answer in HTTP/1.1")
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        name, value = name.lower(), value.strip()
        if not colon or (fields.setdefault(name, value) != value and name == b"content-length"):
            raise NotHTTPError("the head of the bucket's answer contradicts itself")
    length = fields.get(b"content-length")
    if length is not None and _LENGTH.fullmatch(length) is None:
        raise NotHTTPError("the bucket tells a length that is no number")
    if b"transfer-encoding" in fields:  # RFC 9112, 6.3: it decides, whatever the length says
        length = None
    is_kept = status[1] == b"1" and fields.get(b"connection", b"").lower() != b"close"
    return Head(
        int(status[2]),
        None if length is None else int(length),
        fields.get(b"content-range", b"").decode("latin-1"),
        is_kept and length is not None,
    )
