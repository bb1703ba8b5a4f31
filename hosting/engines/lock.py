"""Who may use a data folder: one instance at a time, held by a lock that dies with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hosting.engines.errors import InstanceError
from hosting.engines.folder import DataFolder


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold ``path`` exclusively; raises InstanceError naming the process that already does.

    The file stays when the lock is released: removing it would let two processes lock two files
    of the same name.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise InstanceError(
                f"{path.parent} is in use by another Longwave (process {holder}). "
                "Stop that one first, or name another data folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def claim(data: Path) -> Iterator[DataFolder]:
    """The data folder, made when it is new, for this process alone."""
    folder = DataFolder(data.expanduser().absolute())
    folder.create()
    with hold_lock(folder.lock):
        yield folder
