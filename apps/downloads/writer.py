"""The writing side of a process's journal: which file a message goes to, or that none takes it."""

import logging
import os
import threading
import time

from django.conf import settings

from apps.downloads import journal
from apps.downloads.journal import JournalFile, Lines, MemoryLines

logger = logging.getLogger(__name__)

# A file is given up when it is this long, or this old: it names addresses.
FILE_BYTES = 8 * 1024**2
FILE_SECONDS = 60.0
# What may wait while no disk takes it, and in what portions it is shipped.
MEMORY_BYTES = 16 * 1024**2
PORTION_BYTES = 1024**2
COMPLAINT_SECONDS = 60.0


class Writer:
    """Any thread may append; one other thread ships and removes what is left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: JournalFile | None = None
        self._file_begun_at = 0.0
        self._memory: MemoryLines | None = None
        self._left: list[Lines] = []
        self._complained_at = -COMPLAINT_SECONDS
        self._unwritten = 0
        self._lost = 0

    def append(self, message: bytes) -> None:
        """Write one message (without line ends); never raises, and waits for no engine."""
        line = b"%013d %b\n" % (time.time_ns() // 1_000_000, message)
        with self._lock:
            try:
                (self._file or self._begin_file()).append(line)
            except OSError as error:
                self._keep(line, error)

    def left(self) -> tuple[Lines, ...]:
        """All that is not done with, oldest first; the last of a kind is still written to."""
        return tuple(self._left)

    def is_anything_left(self) -> bool:
        """Whether anything is to be shipped."""
        return any(lines.shipped < lines.size for lines in self.left())

    def give_up_old(self) -> tuple[Lines, ...]:
        """Begin anew where that is due, and return what is no longer written to.

        While Valkey is away there is one long file, and not a file a minute.
        """
        with self._lock:
            file, memory = self._file, self._memory
            if file is not None and len(self._left) == 1 and self._is_old(file):
                self._file = None
            if memory is not None and (memory.size >= PORTION_BYTES or _is_shipped(memory)):
                self._memory = None
            return tuple(lines for lines in self._left if lines not in (self._file, self._memory))

    def give_up_all(self) -> tuple[Lines, ...]:
        """All that is left, none of it written to any more."""
        with self._lock:
            self._file = self._memory = None
            return self.left()

    def give_up(self, lines: Lines) -> None:
        """Leave these to whoever looks for them."""
        self.remove(lines)
        lines.close()

    def remove(self, lines: Lines) -> None:
        """Forget what is done with; nobody appends to it any more."""
        with self._lock:
            if lines is self._file:
                self._file = None
            self._left.remove(lines)

    def close(self) -> None:
        """Leave everything to whoever looks for it."""
        for lines in self.give_up_all():
            self.give_up(lines)

    def close_after_fork(self) -> None:
        """In the child: the files are the parent's, and their locks must not outlive it.

        The lock of this object may have been held by a thread that doesn't exist here.
        """
        for lines in self._left:
            lines.close()

    def _begin_file(self) -> JournalFile:
        self._file = journal.create(settings.SPOOL_ROOT)
        self._file_begun_at = time.monotonic()
        self._left.append(self._file)
        return self._file

    def _is_old(self, file: JournalFile) -> bool:
        age = time.monotonic() - self._file_begun_at
        return file.size >= FILE_BYTES or (age >= FILE_SECONDS and _is_shipped(file))

    def _keep(self, line: bytes, error: OSError) -> None:
        """The audio was sent: failing now would help nobody."""
        if self._file is not None and not _is_whole(self._file):
            self._file = None
        waiting = sum(lines.size for lines in self._left if isinstance(lines, MemoryLines))
        if waiting + len(line) > MEMORY_BYTES:
            self._lost += 1
        else:
            if self._memory is None:
                self._memory = MemoryLines()
                self._left.append(self._memory)
            self._memory.append(line)
            self._unwritten += 1
        self._complain(error)

    def _complain(self, error: OSError) -> None:
        """Not for each hit: the disk of the log may be the full one."""
        if time.monotonic() - self._complained_at < COMPLAINT_SECONDS:
            return
        logger.error(
            "No disk takes the journal of hits (%s): since the last such line %d went to memory "
            "only and %d were lost",
            error,
            self._unwritten,
            self._lost,
        )
        self._complained_at = time.monotonic()
        self._unwritten = self._lost = 0


def _is_shipped(lines: Lines) -> bool:
    return lines.shipped >= lines.size


def _is_whole(file: JournalFile) -> bool:
    """Whether no part of a failed line is at its end."""
    try:
        return os.fstat(file.descriptor).st_size == file.size
    except OSError:
        return False
