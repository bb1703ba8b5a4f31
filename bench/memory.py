"""What a server's processes and the kernel's sockets grow by while something happens."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

import psutil

from bench.servers import Server

SAMPLE_SECONDS = 0.25
_SOCKSTAT = Path("/proc/net/sockstat")
_PAGE_BYTES = 4096  # what the kernel counts sockets' memory in


class Memory(NamedTuple):
    """In bytes, of all processes together."""

    rss: int
    pss: int
    uss: int
    sockets: int  # of the kernel, for all TCP of the machine

    @classmethod
    def of(cls, server: Server) -> Self:
        """At this moment."""
        rss = pss = uss = 0
        for process in server.family():
            with suppress(psutil.NoSuchProcess):
                found = process.memory_full_info()
                rss += found.rss
                pss += getattr(found, "pss", 0)  # Linux only
                uss += found.uss
        return cls(rss, pss, uss, socket_bytes())


def socket_bytes() -> int:
    """Of the kernel, for all TCP of the machine; 0 where it doesn't tell."""
    with suppress(OSError):
        if found := re.search(r"^TCP: .* mem (\d+)", _SOCKSTAT.read_text(), re.MULTILINE):
            return int(found[1]) * _PAGE_BYTES
    return 0


class Watch:
    """What each figure was at the beginning, and its peak since."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._before = self._peak = Memory.of(server)

    def look(self) -> None:
        """Take notice of what is now."""
        self._peak = Memory(*map(max, self._peak, Memory.of(self._server)))

    @property
    def growth(self) -> Memory:
        """Of each figure to its own peak."""
        return Memory(
            *(peak - before for peak, before in zip(self._peak, self._before, strict=True))
        )


@contextmanager
def watching(server: Server) -> Iterator[Watch]:
    """Looks several times a second until the context ends."""
    watch, is_over = Watch(server), threading.Event()

    def look_on() -> None:
        while not is_over.wait(SAMPLE_SECONDS):
            watch.look()

    thread = threading.Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        is_over.set()
        thread.join()
