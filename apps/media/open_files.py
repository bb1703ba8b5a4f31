"""Files of the store kept open for a moment, because the same few are asked for all the time."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

from apps.media.errors import SourceTooShortError

IDLE_SECONDS = 10.0
"""How long a file stays open after its last reader: so long may a deleted one take up room."""
MAX_IDLE_FILES = 256


class OpenFile:
    """An open file, shared by its readers; it closes when nobody holds it any more."""

    __slots__ = ("descriptor", "key", "last_used_at", "readers", "size_bytes")

    def __init__(self, key: str, path: Path) -> None:
        """Blocks; raises OSError."""
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.key = key
        self.size_bytes = os.fstat(self.descriptor).st_size
        self.readers = 0
        self.last_used_at = 0.0

    def __del__(self) -> None:
        # On every path, also when a task was cancelled while a thread opened the file for it.
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


class OpenFiles:
    """One event loop's open files, by key of the store, which names their contents."""

    def __init__(self) -> None:
        self._in_use: dict[str, OpenFile] = {}
        self._idle: dict[str, OpenFile] = {}  # the longest idle first
        self._sweep: asyncio.TimerHandle | None = None

    async def borrow(self, key: str, size_bytes: int, find: Callable[[], Path]) -> OpenFile:
        """The file of this key; `find` says where it is when it is not open yet.

        Raises OSError, also when its size is not the promised one. Goes back with `give_back`.
        """
        file = self._in_use.get(key) or self._idle.pop(key, None)
        if file is None:
            file = await asyncio.to_thread(lambda: OpenFile(key, find()))
            file = self._in_use.get(key) or self._idle.pop(key, file)
        if file.size_bytes != size_bytes:
            raise SourceTooShortError(f"the file has {file.size_bytes} bytes, not {size_bytes}")
        file.readers += 1
        self._in_use[key] = file
        return file

    def give_back(self, file: OpenFile) -> None:
        """Let go of a borrowed file; to be called once."""
        file.readers -= 1
        if file.readers:
            return
        loop = asyncio.get_running_loop()
        file.last_used_at = loop.time()
        self._idle[file.key] = self._in_use.pop(file.key)
        if len(self._idle) > MAX_IDLE_FILES:
            del self._idle[next(iter(self._idle))]
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        self._sweep = None
        loop = asyncio.get_running_loop()
        while self._idle:
            key, oldest = next(iter(self._idle.items()))
            left = oldest.last_used_at + IDLE_SECONDS - loop.time()
            if left > 0:
                self._sweep = loop.call_later(left, self._close_idle)
                return
            del self._idle[key]


class _Here(threading.local):
    loop: asyncio.AbstractEventLoop | None = None
    files: OpenFiles


_here = _Here()


def open_files() -> OpenFiles:
    """The running loop's; a thread runs one at a time, and the files of an earlier one close."""
    loop = asyncio.get_running_loop()
    if _here.loop is not loop:
        _here.loop, _here.files = loop, OpenFiles()
    return _here.files
