"""What of a file one response has sent, and when somebody is told about it."""

import logging
from collections.abc import Callable
from time import monotonic

logger = logging.getLogger(__name__)

type OnSent = Callable[[list[tuple[int, int]], bool], None]
"""Called with half-open intervals of the file, merged and sorted, and whether they are final.

It must not wait for anything: it runs between two pieces of somebody's audio.
"""

REPORT_SECONDS = 5.0
"""How much of a long stream a killed process can leave untold."""


class Sent:
    """The intervals that left, told every few seconds and once at the end."""

    __slots__ = ("_at", "_intervals", "_on_sent", "_told_at")

    def __init__(self, on_sent: OnSent | None) -> None:
        self._at = 0
        self._intervals: list[tuple[int, int]] = []
        self._on_sent = on_sent
        self._told_at = monotonic()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody is still to be told the end."""
        return self._on_sent is not None

    def go_to(self, offset: int) -> None:
        """What leaves next begins here."""
        self._at = offset

    def advance(self, count: int) -> None:
        """So many bytes have left."""
        self._add(count)
        if self._on_sent is not None and monotonic() - self._told_at >= REPORT_SECONDS:
            self._tell(self._on_sent, is_final=False)
            self._told_at = monotonic()

    def take_back(self, count: int) -> None:
        """So many of the bytes that left last did not arrive; what was told before stays told."""
        self._at -= count
        while count and self._intervals:
            start, stop = self._intervals.pop()
            if count < stop - start:
                self._intervals.append((start, stop - count))
                return
            count -= stop - start

    def finish_with_last(self) -> None:
        """Tell that all will have left with the one byte that follows."""
        self._add(1)
        self.finish()

    def finish(self) -> None:
        """Tell that this was all; only once, whoever asks."""
        on_sent, self._on_sent = self._on_sent, None
        if on_sent is not None:
            self._tell(on_sent, is_final=True)

    def _add(self, count: int) -> None:
        start = self._at
        stop = self._at = start + count
        if self._intervals and self._intervals[-1][1] == start:
            start = self._intervals.pop()[0]
        self._intervals.append((start, stop))

    def _tell(self, on_sent: OnSent, *, is_final: bool) -> None:
        try:
            on_sent(sorted(self._intervals), is_final)
        except Exception:
            logger.exception("What was sent could not be recorded")
