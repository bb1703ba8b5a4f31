"""Bytes of a file to a socket by sendfile(2): no copy in this process, bounded, fair."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from apps.media.serving import ClientGoneError

TURN_BYTES = 2 * 1024 * 1024
"""How much one connection may send before others get the loop: a fast one would starve the rest."""

_COLD_BYTES = 256 * 1024  # read from the disk at once
# Linux can say that a page is not in memory instead of waiting for the disk.
_ONLY_IF_CACHED: int | None = getattr(os, "RWF_NOWAIT", None)
_SCRATCH = [bytearray(1)]


class Line(Protocol):
    """A plain-text connection of an event loop, as much of it as sending files needs."""

    def fileno(self) -> int:
        """The socket; raises ClientGoneError, for the number may be another's by then."""

    def is_drained(self) -> bool:
        """Whether the kernel has taken all that was written."""

    async def drain(self) -> None:
        """Wait until it has; raises ClientGoneError."""

    async def room(self) -> None:
        """Wait until the kernel takes more than it has; raises ClientGoneError."""

    def gone(self) -> ClientGoneError:
        """The error that says so."""


@dataclass(frozen=True, slots=True)
class FileMessage:
    """What an ASGI message `http.response.zerocopysend` asks for, in full.

    Two fields are ours: `progress` is told each time how many more bytes the kernel took, also
    before an error, and `before_last`, if any, is called when all but the last byte are there.
    """

    descriptor: int
    offset: int
    count: int
    progress: Callable[[int], object]
    before_last: Callable[[], object] | None

    @classmethod
    def read(cls, message: Mapping[str, Any]) -> Self:
        """The extension lets an application leave out where to begin, and where to end."""
        file = message["file"]
        descriptor: int = file if isinstance(file, int) else file.fileno()
        offset = message.get("offset")
        if offset is None:
            offset = os.lseek(descriptor, 0, os.SEEK_CUR)
        count = message.get("count")
        if count is None:
            count = max(0, os.fstat(descriptor).st_size - offset)
        return cls(
            descriptor,
            offset,
            count,
            message.get("progress", _tell_nobody),
            message.get("before_last"),
        )


def _tell_nobody(count: int) -> None:
    """For applications that don't ask."""


async def send_file(line: Line, message: FileMessage) -> None:
    """Send exactly `count` bytes; raises ClientGoneError, or OSError when the file is too short."""
    descriptor, offset, progress = message.descriptor, message.offset, message.progress
    before_last = message.before_last
    stop = offset + message.count
    pause = stop if before_last is None else stop - 1
    # Others who have asked are understood first: sending would drive what that needs out of the
    # processor's caches, for each of them anew.
    await asyncio.sleep(0)
    if not line.is_drained():
        await line.drain()
    turn_end = offset + TURN_BYTES
    warm_until = offset
    while offset < stop:
        if offset == pause and before_last is not None:
            before_last()
            pause = stop
        if offset >= turn_end:
            await asyncio.sleep(0)
            turn_end = offset + TURN_BYTES
        wanted = min(turn_end, pause) - offset
        if offset + wanted > warm_until:
            warm_until = min(turn_end, stop)
            if not _is_warm(descriptor, warm_until):
                wanted = min(wanted, _COLD_BYTES)
                warm_until = offset + wanted
                await asyncio.to_thread(os.pread, descriptor, wanted, offset)
        sent = _send_now(line, descriptor, offset, wanted)
        if sent:
            progress(sent)
            offset += sent
        if sent < wanted:
            await line.room()
            turn_end = offset + TURN_BYTES  # others had theirs meanwhile


def _send_now(line: Line, descriptor: int, offset: int, count: int) -> int:
    """How much went out; 0 when the socket is full."""
    try:
        sent = os.sendfile(line.fileno(), descriptor, offset, count)
    except BlockingIOError:
        return 0
    except (BrokenPipeError, ConnectionResetError) as error:
        raise line.gone() from error
    if not sent:
        raise OSError(f"the file ends at byte {offset}, {count} before it should")
    return sent


def _is_warm(descriptor: int, stop: int) -> bool:
    """Whether sending will not wait for a disk, as far as the last page tells.

    Pages come in order and leave in order, so that the others are there more often than not.
    """
    if _ONLY_IF_CACHED is None:
        return True
    try:
        os.preadv(descriptor, _SCRATCH, stop - 1, _ONLY_IF_CACHED)
    except BlockingIOError:
        return False
    except OSError:  # a file system that can't tell
        return True
    return True
