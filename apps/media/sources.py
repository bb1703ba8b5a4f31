"""Where the bytes of a response come from: stored files, read in bounded pieces."""

import asyncio
import os
from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from io import FileIO
from itertools import accumulate
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 256 * 1024
"""The most that one read holds in memory: what a slow client can cost."""

# Linux can say that a page is not in memory instead of waiting for the disk.
_ONLY_IF_CACHED: int | None = getattr(os, "RWF_NOWAIT", None)


class SourceTooShortError(OSError):
    """A stored file ended before the length that was promised for it."""


class Source(Protocol):
    """One stored file, open for reading; whoever opened it closes it."""

    def read(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Bytes [start, stop) in pieces of at most CHUNK_BYTES; raises OSError, never pads."""

    async def close(self) -> None:
        """Let go of whatever is held; may be called twice."""


class DiskSource:
    """A file on disk: pages in memory are read at once, others in a thread."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    @classmethod
    async def open(cls, path: Path, size_bytes: int) -> "DiskSource":
        """Open a file that must have exactly this size; raises OSError."""
        return cls(await asyncio.to_thread(_open_checked, path, size_bytes))

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        descriptor = self._file.fileno()
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
        self._file.close()


def _open_checked(path: Path, size_bytes: int) -> FileIO:
    # A file object, not a bare descriptor: when the waiting task was cancelled, dropping it closes.
    file = FileIO(path, "rb")
    actual = os.fstat(file.fileno()).st_size
    if actual != size_bytes:
        file.close()
        raise SourceTooShortError(f"the file has {actual} bytes, not {size_bytes}")
    return file


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
        self._stops = list(accumulate(segment.length for segment in segments))
        self._opened: dict[int, Source] = {}

    @property
    def size_bytes(self) -> int:
        """The length of the whole."""
        return self._stops[-1] if self._stops else 0

    async def open_at(self, offset: int) -> None:
        """Open the file that holds this byte, so that what is missing is known before it is due."""
        await self._source(bisect_right(self._stops, offset))

    async def read(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        """As Source.read, across the joints."""
        if stop > self.size_bytes:
            raise SourceTooShortError(f"byte {stop} is beyond the {self.size_bytes} there are")
        while start < stop:
            index = bisect_right(self._stops, start)
            until = min(stop, self._stops[index])
            segment = self._segments[index]
            shift = segment.start - (self._stops[index] - segment.length)
            source = await self._source(index)
            async with aclosing(source.read(start + shift, until + shift)) as chunks:
                async for chunk in chunks:
                    yield chunk
            start = until

    async def _source(self, index: int) -> Source:
        if index not in self._opened:
            self._opened[index] = await self._segments[index].open()
        return self._opened[index]

    async def close(self) -> None:
        """Close every file that was opened."""
        while self._opened:
            _, source = self._opened.popitem()
            await source.close()
