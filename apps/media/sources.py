"""Where the bytes of a response come from: stored files, read in bounded pieces."""

import asyncio
import os
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from apps.media.errors import SourceClosedError, SourceTooShortError
from apps.media.open_files import OpenFile, open_files

CHUNK_BYTES = 256 * 1024
"""The most that one read holds in memory: what a slow client can cost."""

# Linux can say that a page is not in memory instead of waiting for the disk.
_ONLY_IF_CACHED: int | None = getattr(os, "RWF_NOWAIT", None)


type Piece = bytes | memoryview
"""Some bytes of a file; of a view nothing may be used any more once the next piece is asked for."""


class Source(Protocol):
    """One stored file, open for reading; whoever opened it closes it."""

    descriptor: int | None
    """A local file whose bytes the kernel can send by itself; None for what is elsewhere."""

    async def prepare(self, start: int, stop: int) -> None:
        """Make sure that reading bytes [start, stop) can begin; raises OSError."""

    def read(self, start: int, stop: int) -> AsyncGenerator[Piece]:
        """Bytes [start, stop) in pieces of at most CHUNK_BYTES; raises OSError, never pads."""

    async def close(self) -> None:
        """Let go of whatever is held; may be called twice."""


class DiskSource:
    """A file on disk: pages in memory are read at once, others in a thread."""

    def __init__(self, file: OpenFile, give_back: Callable[[OpenFile], None]) -> None:
        self._file: OpenFile | None = file
        self._give_back = give_back
        self.descriptor: int | None = file.descriptor

    @classmethod
    async def open(cls, key: str, size_bytes: int, find: Callable[[], Path]) -> "DiskSource":
        """Open the file of a key, which must have exactly this size; raises OSError."""
        files = open_files()
        return cls(await files.borrow(key, size_bytes, find), files.give_back)

    async def prepare(self, start: int, stop: int) -> None:
        """It is open: there is nothing to do."""

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        descriptor = self.descriptor
        if descriptor is None:
            raise SourceClosedError
        while start < stop:
            count = min(CHUNK_BYTES, stop - start)
            chunk = _read_cached(descriptor, count, start)
            if not chunk:
                chunk = await asyncio.to_thread(os.pread, descriptor, count, start)
            if not chunk:
                raise SourceTooShortError(f"the file ends at byte {start}, before {stop}")
            yield chunk
            start += len(chunk)

    async def close(self) -> None:
        file, self._file, self.descriptor = self._file, None, None
        if file is not None:
            self._give_back(file)


def _read_cached(descriptor: int, count: int, offset: int) -> bytes:
    """What the page cache holds at this offset, possibly less than asked; empty if nothing."""
    if _ONLY_IF_CACHED is None:
        return b""
    buffer = bytearray(count)
    try:
        filled = os.preadv(descriptor, [buffer], offset, _ONLY_IF_CACHED)
    except OSError:  # not in memory, or a file system that cannot tell: ask in a thread
        return b""
    return bytes(memoryview(buffer)[:filled])


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a stored file, opened only when its bytes are asked for."""

    open: Callable[[], Awaitable[Source]]
    length: int
    start: int = 0  # offset within the stored file


class SegmentedSource:
    """Segments one after the other as one file; a plain file is a list of one."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._stops = list(accumulate([segment.length for segment in segments]))
        self._opened: dict[int, Source] = {}

    @property
    def size_bytes(self) -> int:
        """The length of the whole."""
        return self._stops[-1] if self._stops else 0

    async def prepare(self, start: int, stop: int) -> None:
        """Open the file that holds the first byte, so that what is missing is known in time."""
        source, shift, until = await self.locate(start)
        await source.prepare(start + shift, min(stop, until) + shift)

    async def locate(self, offset: int) -> tuple[Source, int, int]:
        """Where a byte is: in which file, open; what to add to offsets there; how far it goes.

        Raises OSError.
        """
        index = bisect_right(self._stops, offset)
        if index == len(self._stops):
            raise SourceTooShortError(f"byte {offset} is beyond the {self.size_bytes} there are")
        segment = self._segments[index]
        stop = self._stops[index]
        source = self._opened.get(index)
        if source is None:
            source = self._opened[index] = await segment.open()
        return source, segment.start - (stop - segment.length), stop

    async def read(self, start: int, stop: int) -> AsyncGenerator[Piece]:
        """As Source.read, across the joints."""
        while start < stop:
            source, shift, until = await self.locate(start)
            until = min(stop, until)
            async with aclosing(source.read(start + shift, until + shift)) as chunks:
                async for chunk in chunks:
                    yield chunk
            start = until

    async def close(self) -> None:
        """Close every file that was opened."""
        while self._opened:
            _, source = self._opened.popitem()
            await source.close()
