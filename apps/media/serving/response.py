"""The response that sends bytes of a file, owns its source, and tells what was really sent."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from django.core.exceptions import RequestAborted
from django.http import StreamingHttpResponse

from apps.media.ranges import Range
from apps.media.serving.plan import Plan
from apps.media.serving.sent import OnSent, Sent
from apps.media.sources import SegmentedSource

logger = logging.getLogger(__name__)

type Send = Callable[[Mapping[str, Any]], Awaitable[None]]

ZERO_COPY = "http.response.zerocopysend"
"""The ASGI extension by which a server sends a file without its bytes passing through here."""


class MediaResponse(StreamingHttpResponse):
    """A body with bytes of a file.

    `on_sent` hears of the bytes that left: every few seconds while a stream lasts, and once with
    `final`. On a complete response the final call comes before the last byte goes out, so that no
    client can have a whole file of which nothing is on record; when the client leaves or reading
    fails, it comes as the response ends. Its errors are logged, and never disturb the sending.

    The data plane sends it with `transmit`; to any other handler it is a response that streams,
    for which bytes taken count as sent. Whoever sends it must call `aclose`, also when it never
    began: a generator that was not started runs no `finally`, and Django's handler closes a
    response on some paths only.
    """

    def __init__(
        self, plan: Plan, source: SegmentedSource, *, on_sent: OnSent | None = None
    ) -> None:
        self._plan = plan
        self._source = source
        self._sent = Sent(on_sent)
        self._content = self._stream()
        super().__init__(self._content, status=plan.status, headers=plan.headers)

    def __aiter__(self) -> AsyncGenerator[bytes]:
        # The generator itself: Django wraps it in another one, whose closing would not reach it.
        return self._content

    async def aclose(self) -> None:
        """Stop reading, close the file, and tell what was sent if that was not told yet."""
        await self._content.aclose()
        await self._finish()

    async def _finish(self) -> None:
        await self._source.close()
        self._sent.finish()

    async def transmit(self, send: Send, *, is_kernel_sending: bool) -> None:
        """Send all of it over ASGI; `send` must return only when what it got has left.

        Raises RequestAborted when the client is gone or the file can't be read to its end.
        """
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.items()]
        start = {"type": "http.response.start", "status": self.status_code, "headers": headers}
        try:
            await _hand_over(send, start)
            for piece, is_last in self._steps():
                if isinstance(piece, bytes):
                    await _hand_over(send, _body(piece, is_last))
                else:
                    await self._transmit_range(send, piece, is_last, is_kernel_sending)
        except OSError as error:
            raise _broken(error) from error

    async def _transmit_range(
        self, send: Send, piece: Range, is_last: bool, is_kernel_sending: bool
    ) -> None:
        start = piece.first
        while start < piece.stop:
            source, shift, until = await self._source.locate(start)
            stop = min(piece.stop, until)
            is_end = is_last and stop == piece.stop
            self._sent.go_to(start)
            if is_kernel_sending and source.descriptor is not None:
                count = stop - start
                message = _file(source.descriptor, start + shift, count, is_end, self._sent)
                await _hand_over(send, message)
            else:
                async with aclosing(source.read(start + shift, stop + shift)) as chunks:
                    async for chunk in chunks:
                        start += len(chunk)
                        await _hand_over(send, _body(chunk, is_end and start == stop))
                        await asyncio.sleep(0)  # as in `_stream`
                        self._sent.advance(len(chunk))
            start = stop

    async def _stream(self) -> AsyncGenerator[bytes]:
        """The same for a handler that only iterates."""
        try:
            for piece, _ in self._steps():
                if isinstance(piece, bytes):
                    yield piece
                    continue
                self._sent.go_to(piece.first)
                async with aclosing(self._source.read(piece.first, piece.stop)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                        # Warm reads never wait: without a turn of the loop, other clients would,
                        # and a client that left would go unnoticed and be counted.
                        await asyncio.sleep(0)
                        self._sent.advance(len(chunk))
        except OSError as error:
            raise _broken(error) from error
        finally:
            await self._finish()

    def _steps(self) -> Iterator[tuple[Range | bytes, bool]]:
        """The pieces in order, and which is the last; before that, somebody has been told all.

        If the last piece is of the file, its last byte comes alone then.
        """
        *pieces, last = self._plan.pieces
        for piece in pieces:
            yield piece, False
        if isinstance(last, Range) and self._sent.is_awaited:
            if last.length > 1:
                yield Range(last.first, last.last - 1), False
                last = Range(last.last, last.last)
            self._sent.go_to(last.first)
            self._sent.finish(count=1)
        self._sent.finish()
        yield last, True


def _body(content: bytes, is_last: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": not is_last}


def _file(descriptor: int, offset: int, count: int, is_last: bool, sent: Sent) -> dict[str, Any]:
    return {
        "type": ZERO_COPY,
        "file": descriptor,
        "offset": offset,
        "count": count,
        "more_body": not is_last,
        "progress": sent.advance,  # ours: what has left is known also when the client goes midway
    }


async def _hand_over(send: Send, message: Mapping[str, Any]) -> None:
    try:
        await send(message)
    except ConnectionError as error:
        raise RequestAborted from error


def _broken(error: OSError) -> RequestAborted:
    """The headers are out: breaking the connection is the only honest answer left."""
    logger.error("Reading a stored file failed in the middle of a response", exc_info=error)
    return RequestAborted()
