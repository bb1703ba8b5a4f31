"""Hits on disk: a file for each process, a line for each hit, locked as long as its writer lives.

A line is with the kernel when it is written, which any death of processes leaves intact; a power
cut may take the last seconds. Who can lock a file knows that its writer is dead.
"""

import errno
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

logger = logging.getLogger(__name__)

# In front of each message: when it was recorded, in milliseconds of Unix time, and a space.
STAMP_BYTES = 14
CHUNK_BYTES = 256 * 1024
# Of one process while Valkey is away, some eight million hits: the database may need the disk too.
MAX_FILE_BYTES = 4 * 1024**3

_SUFFIX = ".journal"
# Versions before the journal wrote lines without stamps, and these only while Valkey was away.
_OLD_WRITTEN, _OLD_TAKEN = ".jsonl", ".drain"


class Lines(Protocol):
    """Lines to be shipped: ``size`` is where whole ones end, ``shipped`` how far the stream is."""

    size: int
    shipped: int

    @property
    def name(self) -> str:
        """Unlike that of any other lines, ever."""

    @property
    def stamp_bytes(self) -> int:
        """How many bytes precede each message."""

    def append(self, line: bytes) -> None:
        """Add a line with its end, or raise OSError and leave nothing of it."""

    def read(self, offset: int) -> bytes:
        """Whole lines from there, a moderate amount of them; raises OSError."""

    def remove(self) -> None:
        """All of it is shipped."""

    def close(self) -> None:
        """Others may have it from now on."""


@dataclass(slots=True, eq=False)
class JournalFile:
    """An open, locked file."""

    path: Path
    descriptor: int
    size: int = 0
    shipped: int = 0
    stamp_bytes: int = STAMP_BYTES

    @property
    def name(self) -> str:
        return self.path.name

    def append(self, line: bytes) -> None:
        if self.size >= MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, "the journal is as long as it may become")
        written = os.write(self.descriptor, line)
        if written != len(line):  # the disk is full: half a line would spoil the next one
            os.ftruncate(self.descriptor, self.size)
            raise OSError(errno.ENOSPC, "no room for a whole line")
        self.size += written

    def read(self, offset: int) -> bytes:
        content = os.pread(self.descriptor, min(CHUNK_BYTES, self.size - offset), offset)
        if not content:
            raise OSError(errno.ENODATA, f"{self.name} is shorter than what was written to it")
        return _whole_lines(content)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@dataclass(slots=True, eq=False)
class MemoryLines:
    """What no disk took: it is shipped like a file, and lost with its process."""

    size: int = 0
    shipped: int = 0
    stamp_bytes: int = STAMP_BYTES
    name: str = field(default_factory=lambda: f"{_unique()}.memory")
    _content: bytearray = field(default_factory=bytearray)

    def append(self, line: bytes) -> None:
        self._content += line
        self.size += len(line)

    def read(self, offset: int) -> bytes:
        return _whole_lines(bytes(self._content[offset : offset + CHUNK_BYTES]))

    def remove(self) -> None:
        self.close()

    def close(self) -> None:
        self._content.clear()


def create(folder: Path) -> JournalFile:
    """A new file of this process; raises OSError."""
    while True:
        path = folder / f"{_unique()}{_SUFFIX}"
        try:
            descriptor = os.open(
                path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
        except FileNotFoundError:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            continue
        try:
            if _lock(descriptor, path):
                return JournalFile(path, descriptor)
        except OSError:  # a file system without locks: nobody could tell when it is abandoned
            path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(descriptor)  # taken for abandoned before it was locked


def paths(folder: Path) -> list[Path]:
    """All journals, oldest first, also those of versions before the journal."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.suffix in {_SUFFIX, _OLD_WRITTEN, _OLD_TAKEN})


def abandoned(folder: Path) -> Iterator[JournalFile]:
    """The files whose writers are dead, oldest first, each while it is looked at."""
    for path in folder.glob(f"*{_OLD_WRITTEN}"):
        _take_from_old_writer(path)
    for path in paths(folder):
        if path.suffix == _OLD_WRITTEN:
            continue
        descriptor = _open_locked(path)
        if descriptor is None:
            continue
        stamp_bytes = STAMP_BYTES if path.suffix == _SUFFIX else 0
        file = JournalFile(path, descriptor, os.fstat(descriptor).st_size, stamp_bytes=stamp_bytes)
        try:
            yield file
        finally:
            file.close()


def _take_from_old_writer(path: Path) -> None:
    """Under a name of its own: the writer may live, and begin anew under the old one."""
    descriptor = _open_locked(path)
    if descriptor is not None:
        path.rename(path.with_suffix(f".{time.time_ns()}{_OLD_TAKEN}"))
        os.close(descriptor)


def _open_locked(path: Path) -> int | None:
    """A descriptor; None when the file is in use or gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        complain_once(path, str(error))
        return None
    if _lock(descriptor, path):
        return descriptor
    os.close(descriptor)
    return None


def _lock(descriptor: int, path: Path) -> bool:
    """Whether nobody else has it and it still is what is found at this path."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


@cache
def complain_once(path: Path, reason: str) -> None:
    """It is looked at every second."""
    logger.error("The hits in %s can't be shipped: %s", path, reason)


def _unique() -> str:
    """A name that sorts by age."""
    return f"{time.time_ns()}-{os.getpid()}-{secrets.token_hex(4)}"


def _whole_lines(content: bytes) -> bytes:
    """Up to the last line end; a file's torn last line counts as one, to be reported as such."""
    end = content.rfind(b"\n") + 1
    return content[:end] if end else content
