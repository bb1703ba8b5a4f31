"""The response that sends bytes of a file, owns its source, and tells what was really sent."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import cached_property
from http.cookies import SimpleCookie
from typing import Any

from django.core.exceptions import RequestAborted
from django.http import StreamingHttpResponse
from django.http.response import ResponseHeaders

from apps.media.ranges import Range
from apps.media.serving.client_gone import ClientGoneError
from apps.media.serving.plan import Plan, encode_fields
from apps.media.serving.sent import NO_STEPS, OnSent, Sent, Steps
from apps.media.sources import Piece, SegmentedSource

logger = logging.getLogger(__name__)

type Send = Callable[[Mapping[str, Any]], Awaitable[None]]

type Arrival = Callable[[int], Awaitable[int]]
"""Waits until no more of the bytes that left are under way; how many are, then.

Raises ClientGoneError.
"""

ZERO_COPY = "http.response.zerocopysend"
"""The ASGI extension by which a server sends a file without its bytes passing through here."""

ARRIVAL = "longwave.arrival"
"""The extension, an `Arrival`, of a server that can tell what its clients have acknowledged."""


SHARED_FIELDS = "longwave.shared_fields"
"""In a start message: its first header fields, which other responses have as well.

It also says that the body follows at once, so that the server may let the headers wait for it.
"""


class MediaResponse(StreamingHttpResponse):
    """A body with bytes of a file.

    `on_sent` hears of the bytes that left: every few seconds while a stream lasts, of those that
    arrived before more than one of the `steps` is untold, and once with `final`. On a complete
    response the final call comes before the last byte goes out, so that no client can have a whole
    file of which nothing is on record; when the client leaves or reading fails, it comes as the
    response ends. Its errors are logged, and never disturb the sending.

    The data plane sends it with `transmit`; to any other handler it is a response that streams,
    for which bytes taken count as sent. Whoever sends it must call `aclose`, also when it never
    began: a generator that was not started runs no `finally`, and Django's handler closes a
    response on some paths only.
    """

    is_async = True

    def __init__(
        self,
        plan: Plan,
        source: SegmentedSource,
        *,
        on_sent: OnSent | None = None,
        steps: Steps = NO_STEPS,
    ) -> None:
        # Without the base's own, which converts and checks field by field: that alone would cost
        # as much as the rest of a small range. What it sets is here, or made when asked for.
        self.status_code = plan.status
        self.closed = False
        self._reason_phrase = self._charset = self._handler_class = None
        self._resource_closers: list[Callable[[], object]] = []
        self._plan = plan
        self._source = source
        self._sent = Sent(on_sent, steps)
        self._arrival: Arrival | None = None
        self._in_hand = 0  # bytes given to `send` that do not count yet

    @cached_property
    def headers(self) -> ResponseHeaders:  # type: ignore[override]
        return ResponseHeaders(self._plan.headers)

    @cached_property
    def cookies(self) -> SimpleCookie:  # type: ignore[override]
        return SimpleCookie()

    @cached_property
    def _iterator(self) -> AsyncGenerator[bytes]:
        return self._stream()

    def __aiter__(self) -> AsyncGenerator[bytes]:
        # The generator itself: Django wraps it in another one, whose closing would not reach it.
        return self._iterator

    async def aclose(self) -> None:
        """Stop reading, close the file, and tell what was sent if that was not told yet."""
        if "_iterator" in self.__dict__:
            await self._iterator.aclose()
        await self._finish()

    async def _finish(self) -> None:
        await self._source.close()
        self._sent.finish()

    async def transmit(
        self, send: Send, *, is_kernel_sending: bool, arrival: Arrival | None = None
    ) -> None:
        """Send all of it over ASGI; `send` must return only when what it got has left.

        Without `arrival`, what has left counts as arrived.
        Raises RequestAborted when the client is gone or the file can't be read to its end.
        """
        self._arrival = arrival
        shared, own = self._plan.encoded_headers
        if "headers" in self.__dict__:  # a view has asked for them, and may have changed them
            shared, own = (), encode_fields(self.headers)
        last = self._plan.pieces[-1]
        try:
            # Kept by nobody: a listener who takes half an hour needs no headers any more.
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": [*shared, *own],
                    SHARED_FIELDS: shared,
                }
            )
            for piece in self._plan.pieces:
                if isinstance(piece, Range):
                    await self._transmit_range(send, piece, piece is last, is_kernel_sending)
                else:
                    if piece is last:
                        self._sent.finish()
                    await send(_body(piece, piece is last))
        except ConnectionError as error:  # the client left; sources raise no such error
            if isinstance(error, ClientGoneError):
                # Of the chunk that could not be sent, some may be among them.
                self._sent.take_back(max(0, error.undelivered - self._in_hand))
            raise RequestAborted from error
        except OSError as error:
            raise _broken(error) from error

    async def _transmit_range(
        self, send: Send, piece: Range, is_last: bool, is_kernel_sending: bool
    ) -> None:
        start = piece.first
        while start < piece.stop:
            source, shift, until = await self._source.locate(start)
            if not is_kernel_sending or source.descriptor is None:
                async with aclosing(self._chunks(Range(start, piece.last), is_last)) as chunks:
                    async for chunk, is_end in chunks:
                        # A server that sends files is ours: it keeps no view that it was lent,
                        # but perhaps the last one, when the response is complete.
                        is_lent = is_kernel_sending and not is_end
                        await send(_body(chunk if is_lent else bytes(chunk), is_end))
                return
            if self._sent.room <= 0:
                await self._make_room()
            stop = min(piece.stop, until, start + self._sent.room)
            is_end = is_last and stop == piece.stop
            self._sent.go_to(start)
            await send(
                {
                    "type": ZERO_COPY,
                    "file": source.descriptor,
                    "offset": start + shift,
                    "count": stop - start,
                    "more_body": not is_end,
                    # Ours: what has left is known also when the client goes midway, and recorded
                    # before it can have everything.
                    "progress": self._sent.advance,
                    "before_last": self._sent.finish_with_last if is_end else None,
                }
            )
            start = stop

    async def _make_room(self) -> None:
        """Tell what arrived, once that is enough for more to leave."""
        arrival, most = self._arrival, self._sent.most_under_way
        self._sent.tell_arrived(0 if arrival is None else await arrival(most))

    async def _stream(self) -> AsyncGenerator[bytes]:
        """The same for a handler that only iterates."""
        last = self._plan.pieces[-1]
        try:
            for piece in self._plan.pieces:
                if isinstance(piece, Range):
                    async with aclosing(self._chunks(piece, piece is last)) as chunks:
                        async for chunk, _ in chunks:
                            yield bytes(chunk)
                else:
                    yield piece
        except OSError as error:
            raise _broken(error) from error
        finally:
            await self._finish()

    async def _chunks(self, piece: Range, is_last: bool) -> AsyncGenerator[tuple[Piece, bool]]:
        """The bytes of a range, each chunk with whether it is the response's last.

        A chunk counts as sent when the next one is asked for. It ends where something is to be
        told; and the very last byte comes alone, when everything has been told, if anybody listens.
        """
        self._sent.go_to(piece.first)
        at = piece.first
        async with aclosing(self._source.read(piece.first, piece.stop)) as chunks:
            async for chunk in chunks:
                at += len(chunk)
                is_end = is_last and at == piece.stop
                while chunk:
                    if self._sent.room <= 0:
                        await self._make_room()
                    part = chunk[: self._sent.room]
                    if is_end and len(part) == len(chunk) and self._sent.is_awaited:
                        if len(part) > 1:
                            part = part[:-1]
                        else:
                            self._sent.finish_with_last()
                    chunk = chunk[len(part) :]
                    self._in_hand = len(part)
                    yield part, is_end and not chunk
                    # Warm reads never wait: without a turn of the loop, other clients would, and
                    # a client that left would go unnoticed and be counted.
                    await asyncio.sleep(0)
                    self._in_hand = 0
                    self._sent.advance(len(part))


def _body(content: Piece, is_last: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": not is_last}


def _broken(error: OSError) -> RequestAborted:
    """The headers are out: breaking the connection is the only honest answer left."""
    logger.error("Reading a stored file failed in the middle of a response", exc_info=error)
    return RequestAborted()
