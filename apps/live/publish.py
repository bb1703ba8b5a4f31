"""Telling open boards what changed: at once after quiet, then at most once a second."""

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import redis
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
    tables_of,
)
from apps.live.watched import RANKING_SECONDS, RANKINGS_SHARE, REPEAT_SECONDS, Watched

logger = logging.getLogger(__name__)

BOARDS_PER_TURN = 25
"""Those that have waited longest come first, so that no crowd of boards holds up the others."""
TICK_SECONDS = 0.25
_PAUSE_SECONDS = 0.05
_RETRY_SECONDS = 1.0

# An engine is away: whatever was not told stays noted and goes out later.
_PASSING = (redis.RedisError, OSError, DatabaseError)

# So that one slow reading does not keep tables from being read for long.
_NEWEST_WEIGHT = 0.1

type Send = Callable[[Mapping[Board, str]], None]


@dataclass(frozen=True, slots=True)
class Together:
    """What was read of many boards at once, and how long the tables of each took."""

    figures: Mapping[Board, LiveFigures] = field(default_factory=dict)
    tables: Mapping[Board, Message] = field(default_factory=dict)
    seconds_each: float = 0.0


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
        self._ranking_seconds = 0.0  # what reading one board's tables takes, on the average
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
        pause = max(RANKING_SECONDS, len(boards) * self._ranking_seconds / RANKINGS_SHARE)
        for watched in self._watched.values():
            watched.ranking_pause = pause
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
        together = self._read_together(boards, at, moment)
        messages: dict[Board, Message] = {}
        for board in boards:
            try:
                described = self._described_or_none(board, at, moment, together)
            except _PASSING as error:
                failure = error
                break
            if described is not None:
                messages[board] = described | now_there[board]
        self._tell(messages, at)
        if failure is not None:
            raise failure

    def _tell(self, messages: Mapping[Board, Message], at: float) -> None:
        texts = {
            board: encode(message)
            for board, message in messages.items()
            if at - self._watched[board].sent_at >= REPEAT_SECONDS
            or not says_the_same(message, self._watched[board].told or {})
        }
        if texts:
            last_words.remember(texts, seconds=2 * int(REPEAT_SECONDS))
            self._send(texts)
        for board, message in messages.items():
            self._watched[board].note_served(message, at, is_sent=board in texts)

    def _read_together(self, boards: Sequence[Board], at: float, moment: datetime) -> Together:
        """Of those that can be read together; what is missing is read board by board."""
        wanted = [one for one in boards if self._watched[one].needs_totals(at, moment=moment)]
        ranked = [one for one in wanted if self._watched[one].needs_rankings(at, moment=moment)]
        try:
            figures = figures_of(wanted, at=moment)
            began = self._clock()
            tables = tables_of(ranked, at=moment)
        except _PASSING:
            raise
        except Exception:
            logger.exception("The shows can't be read together")
            return Together()
        return Together(figures, tables, (self._clock() - began) / max(len(tables), 1))

    def _described_or_none(
        self, board: Board, at: float, moment: datetime, together: Together
    ) -> Message | None:
        """One board that can't be read must not keep the others from their news."""
        watched = self._watched[board]
        try:
            if watched.described is not None and not watched.needs_totals(at, moment=moment):
                return watched.described
            return self._describe(board, watched, at, moment, together)
        except _PASSING:
            watched.served_at = at  # next time others come first
            raise
        except Exception:
            logger.exception("The board %s can't be read", board.group)
            watched.served_at = at
            watched.has_news = watched.has_activity = False
            return None

    def _describe(
        self, board: Board, watched: Watched, at: float, moment: datetime, together: Together
    ) -> Message:
        began = self._clock()
        with_rankings = watched.needs_rankings(at, moment=moment)
        rankings = together.tables.get(board) if with_rankings else watched.described
        message = describe(
            board, at=moment, rankings_of=rankings, figures=together.figures.get(board)
        )
        took = self._clock() - began
        if with_rankings:
            took += together.seconds_each if board in together.tables else 0.0
            self._ranking_seconds += (took - self._ranking_seconds) * _NEWEST_WEIGHT
        watched.note_described(message, at, with_rankings=with_rankings, took_seconds=took)
        return message


def _ids_of(downloads: Collection[NewDownload]) -> set[UUID | None]:
    ids: set[UUID | None] = {None} if downloads else set()
    for download in downloads:
        ids |= {download.show, download.episode, download.organization}
    return ids
