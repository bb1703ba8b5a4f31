"""What of a file one response has sent, and when somebody is told about it."""

import logging
import sys
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

logger = logging.getLogger(__name__)

type OnSent = Callable[[list[tuple[int, int]], bool], None]
"""Called with half-open intervals of the file, merged and sorted, and whether they are final.

It must not wait for anything: it runs between two pieces of somebody's audio.
"""

REPORT_SECONDS = 5.0
"""For how long a stream may go on untold."""


class Steps(NamedTuple):
    """How many bytes of a response may leave untold, until so many of it are told."""

    size_bytes: int
    enough_bytes: int


NO_STEPS = Steps(sys.maxsize, 0)
"""Only time and the end are reasons to tell."""


class Sent:
    """The intervals that left, told every few seconds, in steps of bytes, and once at the end.

    ``room`` is how many bytes may leave before what arrived is told: whoever sends no more than
    that at once leaves no more than a step untold, whenever it is killed.
    """

    __slots__ = ("_at", "_intervals", "_on_sent", "_steps", "_told_at", "room")

    def __init__(self, on_sent: OnSent | None, steps: Steps = NO_STEPS) -> None:
        self.room = sys.maxsize if on_sent is None else steps.size_bytes
        self._at = 0
        self._intervals: list[tuple[int, int]] = []
        self._on_sent = on_sent
        self._steps = steps
        self._told_at = monotonic()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody is still to be told the end."""
        return self._on_sent is not None

    def go_to(self, offset: int) -> None:
        """What leaves next begins here."""
        self._at = offset

    @property
    def most_under_way(self) -> int:
        """How many of the bytes that left may not have arrived when there is to be room again."""
        step = self._steps.size_bytes
        return step - max(1, step // 4)

    def advance(self, count: int) -> None:
        """So many bytes have left."""
        self._add(count)
        self.room -= count
        if self._on_sent is not None and monotonic() - self._told_at >= REPORT_SECONDS:
            self._tell(self._on_sent, self._intervals, is_final=False)
            self._make_room(self._intervals, 0)

    def tell_arrived(self, under_way: int) -> None:
        """Tell all but so many of the last bytes, at most `most_under_way`: there is room again."""
        if self._on_sent is not None:
            arrived = _without_last(self._intervals, under_way)
            self._tell(self._on_sent, arrived, is_final=False)
            self._make_room(arrived, under_way)

    def take_back(self, count: int) -> None:
        """So many of the bytes that left last did not arrive; what was told before stays told."""
        self._at -= count
        self._intervals = _without_last(self._intervals, count)

    def finish_with_last(self) -> None:
        """Tell that all will have left with the one byte that follows."""
        self._add(1)
        self.finish()

    def finish(self) -> None:
        """Tell that this was all; only once, whoever asks."""
        on_sent, self._on_sent = self._on_sent, None
        self.room = sys.maxsize
        if on_sent is not None:
            self._tell(on_sent, self._intervals, is_final=True)

    def _make_room(self, told: list[tuple[int, int]], untold: int) -> None:
        self._told_at = monotonic()
        is_enough = sum(stop - start for start, stop in told) >= self._steps.enough_bytes
        self.room = sys.maxsize if is_enough else self._steps.size_bytes - untold

    def _add(self, count: int) -> None:
        start = self._at
        stop = self._at = start + count
        if self._intervals and self._intervals[-1][1] == start:
            start = self._intervals.pop()[0]
        self._intervals.append((start, stop))

    def _tell(self, on_sent: OnSent, intervals: list[tuple[int, int]], *, is_final: bool) -> None:
        try:
            on_sent(sorted(intervals), is_final)
        except Exception:
            logger.exception("What was sent could not be recorded")


def _without_last(intervals: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """All but so many of the bytes that were added last."""
    left = list(intervals)
    while count and left:
        start, stop = left.pop()
        if count < stop - start:
            left.append((start, stop - count))
            break
        count -= stop - start
    return left
