"""Telling open boards what changed: at once after quiet, then at most once a second."""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from django.db import close_old_connections

from apps.downloads.summary import BatchSummary
from apps.live.groups import PLATFORM, Board, open_boards
from apps.live.states import Message, board_message, encode, with_activity_now

logger = logging.getLogger(__name__)

MESSAGE_SECONDS = 1.0
"""The least time between two messages to one board."""
REFRESH_SECONDS = 15.0
"""Even without news a board is built anew: a new day begins, a lost message is made good."""
TICK_SECONDS = 0.25
_PAUSE_SECONDS = 0.05
_RETRY_SECONDS = 1.0

# An engine is away: whatever was not told stays noted and goes out later.
_PASSING = (redis.RedisError, OSError, DatabaseError)

type Send = Callable[[Mapping[Board, str]], None]


@dataclass(slots=True)
class Watched:
    """What an open board was told last, in seconds of the publisher's clock."""

    has_news: bool = True  # whoever opened it may have come since the last batch
    sent_at: float = -math.inf
    built_at: float = -math.inf
    looked_at: float = -math.inf
    message: Message | None = None

    @property
    def is_lively(self) -> bool:
        """Whether figures are shown that fall by themselves."""
        shown = self.message or {}
        return bool(shown.get("listeners_now") or shown.get("bytes_per_second"))

    def needs_build(self, at: float) -> bool:
        """Whether the totals may have changed."""
        return self.has_news or at - self.built_at >= REFRESH_SECONDS

    def is_due(self, at: float) -> bool:
        """Whether it may and should be told something now."""
        if at - self.sent_at < MESSAGE_SECONDS:
            return False
        return self.needs_build(at) or (self.is_lively and at - self.looked_at >= MESSAGE_SECONDS)


class Publisher:
    """Collects the counter's changes and tells the boards that somebody has open.

    ``note`` may be called from any thread; everything else happens in the one that runs ``run``.
    """

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._news: set[Board] = set()
        self._wake = threading.Event()
        self._watched: dict[Board, Watched] = {}

    def note(self, summary: BatchSummary) -> None:
        """Remember what a committed batch touched: the counter's callback, so it must be quick."""
        touched = {Board(show) for show in summary.activity}
        touched.update(Board(download.show) for download in summary.downloads)
        if not touched:
            return
        with self._lock:
            self._news |= touched | {PLATFORM}
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Publish until ``stop`` is set, whatever engine goes away meanwhile."""
        while not stop.is_set():
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            try:
                self.turn()
            except _PASSING as error:
                logger.warning("The live dashboards wait: %s", error)
                stop.wait(_RETRY_SECONDS)
            except Exception:
                logger.exception("The live dashboards were not updated")
                stop.wait(_RETRY_SECONDS)
            finally:
                close_old_connections()  # no request ends here that would give them back
            stop.wait(_PAUSE_SECONDS)

    def turn(self) -> None:
        """Tell every open board that is due; boards that nobody watches cost nothing."""
        at = self._clock()
        self._look_around(open_boards())
        due = {board: watched for board, watched in self._watched.items() if watched.is_due(at)}
        if not due:
            return
        fresh = {board: _next_or_none(board, watched, at) for board, watched in due.items()}
        changed = {
            board: message
            for board, message in fresh.items()
            if message is not None and _says_more(message, due[board], at)
        }
        if changed:
            self._send({board: encode(message) for board, message in changed.items()})
        for board, message in fresh.items():
            _remember(due[board], message, at, is_sent=board in changed)

    def _look_around(self, boards: set[Board]) -> None:
        with self._lock:
            news, self._news = self._news & boards, set()
        self._watched = {board: self._watched.get(board) or Watched() for board in boards}
        for board in news:
            self._watched[board].has_news = True


def _next_or_none(board: Board, watched: Watched, at: float) -> Message | None:
    """One board that can't be built must not keep the others from their news."""
    try:
        return _next_message(board, watched, at)
    except _PASSING:
        raise
    except Exception:
        logger.exception("The board %s can't be built", board.group)
        return None


def _next_message(board: Board, watched: Watched, at: float) -> Message | None:
    """The board's state; only the activity is read anew when nothing else can have changed."""
    if watched.message is None or watched.needs_build(at):
        return board_message(board)
    return with_activity_now(board, watched.message)


def _says_more(message: Message, watched: Watched, at: float) -> bool:
    """Whether a client would see a difference, or is owed a repetition."""
    if watched.message is None or at - watched.sent_at >= REFRESH_SECONDS:
        return True
    return _without_time(message) != _without_time(watched.message)


def _without_time(message: Message) -> Message:
    return {name: value for name, value in message.items() if name != "at"}


def _remember(watched: Watched, message: Message | None, at: float, *, is_sent: bool) -> None:
    if watched.needs_build(at):
        watched.built_at = at
        watched.has_news = False
    watched.looked_at = at
    watched.message = message
    if is_sent:
        watched.sent_at = at


async def _send_to_groups(messages: Mapping[Board, str]) -> None:
    layer: Any = get_channel_layer()
    for board, text in messages.items():
        await layer.group_send(board.group, {"type": "board.message", "text": text})


@contextmanager
def publishing() -> Iterator[Publisher]:
    """A publisher in a thread of its own; the counter calls its ``note`` after every batch."""
    stop = threading.Event()
    # One loop for good: the channel layer keeps its connection per loop.
    with asyncio.Runner() as runner:
        publisher = Publisher(send=lambda messages: runner.run(_send_to_groups(messages)))
        thread = threading.Thread(target=publisher.run, args=(stop,), name="live", daemon=True)
        thread.start()
        try:
            yield publisher
        finally:
            stop.set()
            thread.join(timeout=10)
