"""The consumer of the stream of hits: every message is counted exactly once, whatever dies when."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from threading import Event
from typing import NamedTuple

import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import activity, months, shipping, stream, turns
from apps.downloads.batch import Message, read_message
from apps.downloads.counting import Counted, count
from apps.downloads.positions import Cursor, PositionMovedError
from apps.downloads.summary import BatchSummary
from apps.downloads.tallies import Tallied

logger = logging.getLogger(__name__)

type OnBatch = Callable[[BatchSummary], None]

BATCH_MESSAGES = 5000
BLOCK_MS = 500
# Few large transactions instead of many small ones; far below "about a second".
PACE_SECONDS = 0.15
DRAIN_EVERY_SECONDS = 1.0
DRAIN_BYTES = 4 * 1024 * 1024
ADOPT_EVERY_SECONDS = 5.0
# A sketch is rewritten once for all batches in between; charts read what waits one by one.
FOLD_EVERY_SECONDS = 15.0
MAX_BACKOFF_SECONDS = 5.0

# An engine is away, or somebody else counts as us: to be tried again, not a fault of a message.
_PASSING = (redis.RedisError, OSError, OperationalError, InterfaceError, PositionMovedError)


class Received(NamedTuple):
    """A message with its id in the stream."""

    id: bytes
    message: Message


class Counter:
    """One consumer of the group: reads in batches, commits each with the position after it.

    ``consumer`` is who it is until :meth:`run` finds a name that no other process goes by.
    """

    def __init__(self, on_batch: OnBatch | None = None, *, consumer: str = "0") -> None:
        self._client = valkey.own_connection()
        self._on_batch = on_batch
        self._meter = activity.ByteMeter()
        self._tallied = Tallied()
        self._consumer = consumer
        self._cursor: Cursor | None = None
        self._position = stream.BEGINNING
        # Reads ahead and tells dashboards while the database works; none outside of `run`.
        self._aside: ThreadPoolExecutor | None = None
        self._ahead: Future[list[Received]] | None = None
        self._drained_at = self._adopted_at = self._folded_at = 0.0
        self._to_fold: months.Place | None = None  # after which to go on

    def run(self, stop: Event) -> None:
        """Count until ``stop`` is set; waits while an engine is away."""
        delay = 0.0
        with ThreadPoolExecutor(1, thread_name_prefix="aside") as self._aside:
            while not stop.is_set():
                try:
                    with turns.taken() as name:
                        self._consumer, self._cursor = name, None
                        while not stop.is_set():
                            self._turn(stop)
                            delay = 0.0
                        self._fold_all()
                        self._leave()
                except _PASSING as error:
                    delay = min(delay * 2 + 0.25, MAX_BACKOFF_SECONDS)
                    logger.warning("Counting pauses for %.2f s: %s", delay, error)
                    connection.close()
                    stop.wait(delay)
        connection.close()
        self._client.close()

    def _turn(self, stop: Event) -> None:
        began = time.monotonic()
        if began - self._drained_at >= DRAIN_EVERY_SECONDS:
            self._drained_at = began
            shipping.drain(self._client, settings.SPOOL_ROOT, at_most_bytes=DRAIN_BYTES)
        if self._is_adopting_due() and self._ahead is None and self._cursor is not None:
            self._adopted_at = began
            self.adopt()
        self._fold_when_due(began)
        handled = self.step(block_ms=BLOCK_MS)
        if 0 < handled < BATCH_MESSAGES:
            stop.wait(max(0.0, PACE_SECONDS - (time.monotonic() - began)))

    def _fold_when_due(self, began: float) -> None:
        """A part in each turn."""
        if self._to_fold is None and began - self._folded_at >= FOLD_EVERY_SECONDS:
            self._folded_at, self._to_fold = began, months.BEGINNING
        if self._to_fold is not None:
            self._to_fold = self._fold(self._to_fold)

    def _fold_all(self) -> None:
        self._to_fold = months.BEGINNING
        while self._to_fold is not None:
            self._to_fold = self._fold(self._to_fold)

    def _fold(self, after: months.Place) -> months.Place | None:
        """Bring new listeners into the sketches of months; counting goes on without as well."""
        try:
            return months.fold(after)
        except _PASSING:
            raise
        except Exception:
            logger.exception("New listeners can't be brought into the estimates of months")
            return None

    def step(self, *, block_ms: int | None = None) -> int:
        """Count one batch; how many messages it had. Waits up to ``block_ms`` for the first."""
        if self._cursor is None and (recovered := self._begin()):
            return recovered
        try:
            batch = self._take(block_ms)
        except redis.ResponseError:  # the stream was lost, and its group with it
            self._cursor = None
            return 0
        if batch:
            self._commit(batch)
        return len(batch)

    def adopt(self) -> None:
        """Finish what consumers left that no process goes by the name of any more."""
        mine = self._consumer, self._cursor, self._position
        if self._cursor is None:
            return
        for name in stream.consumers_with_entries(self._client) - {self._consumer}:
            with turns.taken_if_free(name) as is_ours:
                if not is_ours:
                    continue
                logger.warning("Consumer %s left messages; they are counted now", name)
                try:
                    self._consumer = name
                    self._begin()
                    self._leave()
                finally:
                    self._consumer, self._cursor, self._position = mine

    def _leave(self) -> None:
        """Nobody will go by this consumer's name again; what it has not counted is for others."""
        if self._ahead is not None:
            wait([self._ahead])
        if self._cursor is not None and stream.forget(self._client, self._consumer):
            self._cursor.forget()

    def _begin(self) -> int:
        """Take up where this consumer was left, by us or by whoever had its name before."""
        if self._ahead is not None:  # what it reads is among what was given to us
            wait([self._ahead])
            self._ahead = None
        cursor = Cursor(stream.name(), stream.begin(self._client), self._consumer)
        cursor.forget_earlier_lives()
        self._position = cursor.position()
        self._cursor = cursor
        return self._recover()

    def _recover(self) -> int:
        """Count what this consumer was given and did not commit; how many messages that was."""
        recovered, after = 0, stream.BEGINNING
        while given := self._fetch(after=after):
            committed = stream.parse_id(self._position)
            left = [one for one in given if stream.parse_id(one.id.decode()) > committed]
            stream.done(self._client, [one.id for one in given[: len(given) - len(left)]])
            if left:
                self._commit(left)
            recovered += len(left)
            after = given[-1].id.decode()
        return recovered

    def _take(self, block_ms: int | None) -> list[Received]:
        """The next batch; while there is a backlog the one after it is read meanwhile."""
        ahead, self._ahead = self._ahead, None
        batch = ahead.result() if ahead is not None else self._fetch(block_ms=block_ms)
        is_backlog = len(batch) == BATCH_MESSAGES
        if self._aside is not None and is_backlog and not self._is_adopting_due():
            self._ahead = self._aside.submit(self._fetch)
        return batch

    def _is_adopting_due(self) -> bool:
        return time.monotonic() - self._adopted_at >= ADOPT_EVERY_SECONDS

    def _fetch(self, *, after: str = ">", block_ms: int | None = None) -> list[Received]:
        entries = stream.read(
            self._client, self._consumer, after=after, count=BATCH_MESSAGES, block_ms=block_ms
        )
        return [Received(entry, read_message(entry, fields)) for entry, fields in entries]

    def _commit(self, batch: Sequence[Received]) -> None:
        """Write a batch; when one of its messages can't be written, all the others are."""
        at = now()
        try:
            counted = self._write(batch, at)
        except _PASSING:
            self._cursor = None  # whether the transaction was committed, only the database knows
            raise
        except Exception:
            if len(batch) > 1:
                middle = len(batch) // 2
                self._commit(batch[:middle])
                self._commit(batch[middle:])
                return
            (refused,) = batch
            if refused.message.hit is None:
                raise
            logger.exception("Message %s can't be counted", refused.id)
            self._commit([Received(refused.id, refused.message._replace(hit=None))])
            return
        self._tallied.add(counted.batch.tallied)
        stream.done(self._client, [one.id for one in batch])
        messages = [one.message for one in batch]
        if self._aside is not None:
            self._aside.submit(self._tell, messages, counted, at)
        else:
            self._tell(messages, counted, at)

    def _write(self, batch: Sequence[Received], at: datetime) -> Counted:
        cursor, position, last = self._cursor, self._position, batch[-1].id.decode()
        if cursor is None:
            raise PositionMovedError("the position is not known")
        counted = count(
            [one.message for one in batch],
            also=lambda: cursor.advance(expected=position, to=last),
            at=at,
            already_tallied=self._tallied,
        )
        self._position = last
        return counted

    def _tell(self, messages: Sequence[Message], counted: Counted, at: datetime) -> None:
        """Show what happened; the count stands whether or not that works."""
        try:
            pulse = activity.take_pulse(messages, counted.batch.listening, self._meter)
            activity.store(self._client, pulse)
            if self._on_batch is None:
                return
            self._on_batch(
                BatchSummary(
                    at=at,
                    messages=len(messages),
                    downloads=tuple(counted.downloads),
                    bytes_sent=pulse.bytes_sent,
                    touched=pulse.touched,
                )
            )
        except Exception:
            logger.exception("The live dashboards were not told of a batch")
