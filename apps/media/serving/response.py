"""The response that sends bytes of a file, owns its source, and tells what was really sent."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from django.core.exceptions import RequestAborted
from django.http import StreamingHttpResponse

from apps.media.serving.plan import Plan
from apps.media.sources import SegmentedSource

logger = logging.getLogger(__name__)

type OnSent = Callable[[list[tuple[int, int]], bool], Awaitable[None]]
"""Called with half-open intervals of the file, merged and sorted, and whether they are final."""

REPORT_SECONDS = 5.0
"""How much of a long stream a killed process can leave untold."""
_REPORT_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Chunk:
    content: bytes
    offset: int | None  # in the file; None for what stands between its parts
    is_last: bool = False


class MediaResponse(StreamingHttpResponse):
    """A body with bytes of a file.

    `on_sent` hears of the bytes that the server took: every few seconds while a stream lasts,
    and once with `final`. On a complete response the final call is awaited before the last byte
    goes out, so that no client can have a whole file of which nothing is on record; when the
    client leaves or reading fails, it comes as the response ends. Its errors are logged, and
    never disturb the sending.

    Whoever sends the response must call `aclose`, also when it never began: a generator that was
    not started runs no `finally`, and Django's handler closes a response on some paths only.
    """

    def __init__(
        self, plan: Plan, source: SegmentedSource, *, on_sent: OnSent | None = None
    ) -> None:
        self._plan = plan
        self._source = source
        self._on_sent = on_sent
        self._sent: list[tuple[int, int]] = []
        self._is_told = on_sent is None
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
        if not self._is_told:
            await self._tell(final=True)

    async def _stream(self) -> AsyncGenerator[bytes]:
        clock = asyncio.get_running_loop().time
        told_at = clock()
        try:
            async with aclosing(self._chunks()) as chunks:
                async for chunk in chunks:
                    if chunk.is_last:
                        self._record(chunk)
                        await self._tell(final=True)
                        yield chunk.content
                        return
                    yield chunk.content
                    # Warm reads never wait: without a turn of the loop, other clients would,
                    # and a client that left would go unnoticed and be counted.
                    await asyncio.sleep(0)
                    self._record(chunk)
                    if clock() - told_at >= REPORT_SECONDS:
                        await self._tell(final=False)
                        told_at = clock()
        except OSError as error:
            # The headers are out: breaking the connection is the only honest answer left.
            logger.exception("Reading a stored file failed in the middle of a response")
            raise RequestAborted from error
        finally:
            await self._finish()

    async def _chunks(self) -> AsyncGenerator[_Chunk]:
        """The whole body in order; the last byte comes alone when somebody is to be told first."""
        *_, last_piece = self._plan.pieces
        for piece in self._plan.pieces:
            if isinstance(piece, bytes):
                yield _Chunk(piece, None, is_last=piece is last_piece)
                continue
            offset = piece.first
            async with aclosing(self._source.read(piece.first, piece.stop)) as contents:
                async for content in contents:
                    is_end = piece is last_piece and offset + len(content) == piece.stop
                    if is_end and not self._is_told and len(content) > 1:
                        yield _Chunk(content[:-1], offset)
                        offset, content = piece.last, content[-1:]
                    yield _Chunk(content, offset, is_last=is_end)
                    offset += len(content)

    def _record(self, chunk: _Chunk) -> None:
        if chunk.offset is None:
            return
        start, stop = chunk.offset, chunk.offset + len(chunk.content)
        if self._sent and self._sent[-1][1] == start:
            start = self._sent.pop()[0]
        self._sent.append((start, stop))

    async def _tell(self, *, final: bool) -> None:
        if self._on_sent is None:
            return
        try:
            async with asyncio.timeout(_REPORT_TIMEOUT_SECONDS):
                await self._on_sent(sorted(self._sent), final)
        except Exception:
            logger.exception("What was sent could not be recorded")
        # Not reached when cancelled: then the response ends, and tells again.
        self._is_told = self._is_told or final
