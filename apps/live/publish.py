"""Telling open boards what changed: at once after quiet, then at most once a second."""

import asyncio
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import redis
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from django.db import close_old_connections

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import minutes
from apps.downloads.minutes import MinuteCounts
from apps.downloads.revision import read_revision
from apps.downloads.shows_at_once import LiveFigures
from apps.downloads.summary import BatchSummary, NewDownload
from apps.live import last_words, news
from apps.live.groups import Board, open_boards
from apps.live.lease import Lease
from apps.live.states import (
    Message,
    describe,
    encode,
    figures_of,
    moments,
    says_the_same,
)
from apps.live.watched import REPEAT_SECONDS, Watched

logger = logging.getLogger(__name__)

BOARDS_PER_TURN = 25
"""Those that have waited longest come first, so that no crowd of boards holds up the others."""
TICK_SECONDS = 0.25
_PAUSE_SECONDS = 0.05
_RETRY_SECONDS = 1.0

# An engine is away: whatever was not told stays noted and goes out later.
_PASSING = (redis.RedisError, OSError, DatabaseError)

type Send = Callable[[Mapping[Board, str]], None]


class Publisher:
    """Collects the counter's changes and tells the boards that somebody has open.

    Every counting process has one; the one that holds the lease publishes, and hears from the
    others. ``note`` may be called from any thread; everything else happens in the one that runs
    ``run``.
    """

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._lock = threading.Lock()
        self._downloaded: set[UUID | None] = set()  # as boards' ids: None is the platform's
        self._active: set[UUID | None] = set()
        self._minutes: MinuteCounts = Counter()
        self._tenants: set[UUID] = set()
        self._wake = threading.Event()
        self._watched: dict[Board, Watched] = {}
        self._revision: int | None = None
        self._lease = Lease(secrets.token_hex(8))

    def note(self, summary: BatchSummary) -> None:
        """Remember what a committed batch touched: the counter's callback, so it must be quick."""
        touched = summary.touched
        if not touched and not summary.downloads:
            return
        with self._lock:
            self._downloaded |= _ids_of(summary.downloads)
            self._active |= {None, *touched}
            self._minutes.update(minutes.count_minutes(summary.downloads))
            self._tenants.update(download.organization for download in summary.downloads)
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Publish until ``stop`` is set, whatever engine goes away meanwhile."""
        while not stop.is_set():
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
            try:
                while self.turn() and not stop.is_set():
                    pass
            except _PASSING as error:
                logger.warning("The live dashboards wait: %s", error)
                stop.wait(_RETRY_SECONDS)
            except Exception:
                logger.exception("The live dashboards were not updated")
                stop.wait(_RETRY_SECONDS)
            finally:
                close_old_connections()  # no request ends here that would give them back
            stop.wait(_PAUSE_SECONDS)
        self._lease.release()

    def turn(self) -> bool:
        """Tell some open boards that are due; whether others are due as well.

        Boards that nobody watches cost nothing.
        """
        at, moment = self._clock(), now()
        self._save_minutes()
        boards = open_boards()
        if not self._take_news(boards):
            return False
        self._look_for_recount()
        due = [
            board for board, watched in self._watched.items() if watched.is_due(at, moment=moment)
        ]
        due.sort(key=lambda board: self._watched[board].served_at)
        if due:
            self._serve(due[:BOARDS_PER_TURN], at, moment)
        return len(due) > BOARDS_PER_TURN

    def _save_minutes(self) -> None:
        with self._lock:
            counts, self._minutes = self._minutes, Counter()
            tenants, self._tenants = self._tenants, set()
        if not counts:
            return
        try:
            minutes.store(valkey.connection(), counts, tenants=tenants)
        except _PASSING:
            with self._lock:
                self._minutes.update(counts)
                self._tenants |= tenants
            raise

    def _take_news(self, boards: set[Board]) -> bool:
        """Share out what was noted; whether it is this process's turn to publish."""
        with self._lock:
            downloaded, self._downloaded = self._downloaded, set()
            active, self._active = self._active, set()
        if not boards:
            self._watched.clear()
            return False
        with_news = {board for board in boards if board.id in downloaded}
        with_activity = {board for board in boards if board.id in active}
        try:
            if not self._lease.hold():
                self._watched.clear()
                news.hand_over(with_news)
                news.hand_over(with_activity, are_totals=False)
                return False
            others_news, others_activity = news.take()
        except _PASSING:
            with self._lock:
                self._downloaded |= downloaded
                self._active |= active
            raise
        self._look_around(boards, with_news | others_news, with_activity | others_activity)
        return True

    def _look_around(
        self, boards: set[Board], with_news: set[Board], with_activity: set[Board]
    ) -> None:
        self._watched = {board: self._watched.get(board) or Watched() for board in boards}
        for board in with_news & boards:
            self._watched[board].has_news = True
        for board in with_activity & boards:
            self._watched[board].has_activity = True

    def _look_for_recount(self) -> None:
        """After one, everything is read anew, tables included."""
        before, self._revision = self._revision, read_revision(valkey.connection())
        if before not in {None, self._revision}:
            for watched in self._watched.values():
                watched.described = None

    def _serve(self, boards: Sequence[Board], at: float, moment: datetime) -> None:
        # The moment first: what is counted meanwhile may be missing there, never in the totals.
        now_there = moments(boards, at=moment)
        failure: Exception | None = None
        figures = self._figures(boards, at, moment)
        for board in boards:
            try:
                described = self._described_or_none(board, at, moment, figures.get(board))
            except _PASSING as error:
                failure = error
                break
            if described is not None:
                self._tell(board, described | now_there[board], at)
        if failure is not None:
            raise failure

    def _tell(self, board: Board, message: Message, at: float) -> None:
        watched = self._watched[board]
        is_repetition = at - watched.sent_at >= REPEAT_SECONDS
        is_sent = is_repetition or not says_the_same(message, watched.told or {})
        if is_sent:
            text = encode(message)
            last_words.remember(board, text, seconds=2 * int(REPEAT_SECONDS))
            self._send({board: text})
        watched.note_served(message, at, is_sent=is_sent)

    def _figures(
        self, boards: Sequence[Board], at: float, moment: datetime
    ) -> dict[Board, LiveFigures]:
        """Of those that can be read together; what is missing is read board by board."""
        wanted = [one for one in boards if self._watched[one].needs_totals(at, moment=moment)]
        try:
            return figures_of(wanted, at=moment)
        except _PASSING:
            raise
        except Exception:
            logger.exception("The shows can't be read together")
            return {}

    def _described_or_none(
        self, board: Board, at: float, moment: datetime, figures: LiveFigures | None
    ) -> Message | None:
        """One board that can't be read must not keep the others from their news."""
        watched = self._watched[board]
        try:
            if watched.described is not None and not watched.needs_totals(at, moment=moment):
                return watched.described
            return self._describe(board, watched, at, moment, figures)
        except _PASSING:
            watched.served_at = at  # next time others come first
            raise
        except Exception:
            logger.exception("The board %s can't be read", board.group)
            watched.served_at = at
            watched.has_news = watched.has_activity = False
            return None

    def _describe(
        self,
        board: Board,
        watched: Watched,
        at: float,
        moment: datetime,
        figures: LiveFigures | None,
    ) -> Message:
        began = self._clock()
        with_rankings = watched.needs_rankings(at, moment=moment)
        before = None if with_rankings else watched.described
        message = describe(board, at=moment, rankings_of=before, figures=figures)
        took = self._clock() - began
        watched.note_described(message, at, with_rankings=with_rankings, took_seconds=took)
        return message


def _ids_of(downloads: Collection[NewDownload]) -> set[UUID | None]:
    ids: set[UUID | None] = {None} if downloads else set()
    for download in downloads:
        ids |= {download.show, download.episode, download.organization}
    return ids


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
