"""A listener: reads no faster than its audio plays, and notices when it has to wait."""

import asyncio
import random
from collections.abc import Iterator

from bench.load.asking import Exchange
from bench.load.connection import Connection, Observer

# What a listener takes at once: about a second of audio.
PORTION_BYTES = 16 * 1024


class Listener(Connection):
    """Reads a portion whenever it is due, and leaves the rest to the kernel and to the server."""

    def __init__(
        self, exchanges: Iterator[Exchange], observer: Observer, rate_bytes: float
    ) -> None:
        super().__init__(exchanges, observer)
        self._rate = rate_bytes
        self._loop = asyncio.get_running_loop()
        self._portion = PORTION_BYTES  # what is still to be read of it
        self._ready_at = self._began_at = self._clock()
        self._got = 0
        self._longest_gap = 0.0
        self._is_paused = False

    def begin(self) -> None:
        """Forget what was until now."""
        self._began_at = self._clock()
        # One that waits at this moment has not waited longer than this for our figures.
        self._ready_at = max(self._ready_at, self._began_at)
        self._got, self._longest_gap = 0, 0.0

    @property
    def share(self) -> float:
        """What it got of what it should have; what it takes at once may not have come due."""
        wanted = self._rate * (self._clock() - self._began_at) - PORTION_BYTES
        return 1.0 if wanted <= self._got else self._got / wanted

    @property
    def gap_seconds(self) -> float:
        """The longest that it was ready to read and waited, now included."""
        waiting = 0.0 if self._is_paused else self._clock() - self._ready_at
        return max(self._longest_gap, waiting)

    def get_buffer(self, sizehint: int) -> memoryview:
        return super().get_buffer(sizehint)[: self._portion]

    def buffer_updated(self, nbytes: int) -> None:
        super().buffer_updated(nbytes)
        if self._is_closing:
            return
        now = self._clock()
        self._got += nbytes
        self._portion -= nbytes
        self._longest_gap = max(self._longest_gap, now - self._ready_at)
        self._ready_at = now
        if self._portion <= 0:
            self._rest(now)

    def _rest(self, now: float) -> None:
        """Until what was read has been played; one that is behind goes on at once."""
        self._portion = PORTION_BYTES
        ahead = self._got / self._rate - (now - self._began_at)
        if ahead > 0:
            self._is_paused = True
            self._transport.pause_reading()
            self._loop.call_later(ahead, self._go_on)

    def _go_on(self) -> None:
        if not self._is_closing:
            self._is_paused, self._ready_at = False, self._clock()
            self._transport.resume_reading()


def choose_rate(connection: int, limits: tuple[int, int]) -> float:
    """Bytes per second of this listener: the same in every run."""
    return random.Random(connection).uniform(*limits)
