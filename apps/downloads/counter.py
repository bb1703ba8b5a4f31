"""The consumer of the stream of hits: every message is counted exactly once, whatever dies when."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from typing import cast
from uuid import UUID

import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import activity, ledger, shipping, stream
from apps.downloads.agents import classify
from apps.downloads.batch import Batch, Message, Surroundings, days_of, gather, read_message
from apps.downloads.countries import country_of
from apps.downloads.day_keys import keys_for
from apps.downloads.networks import data_centres
from apps.downloads.summary import Activity, BatchSummary, NewDownload

logger = logging.getLogger(__name__)

type OnBatch = Callable[[BatchSummary], None]
type Entry = tuple[bytes, dict[bytes, bytes]]

BATCH_MESSAGES = 1000
BLOCK_MS = 500
# Few large transactions instead of many small ones; far below "about a second".
PACE_SECONDS = 0.4
DRAIN_EVERY_SECONDS = 1.0
DRAIN_BYTES = 4 * 1024 * 1024
MAX_BACKOFF_SECONDS = 5.0
# Repeated reports of a dropped response come within seconds of each other.
REMEMBERED_DROPS = 50_000

# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x4C6F6E67_436E7472

# An engine is away or somebody else counts: to be tried again, not a fault of a message.
_PASSING = (
    redis.RedisError,
    OSError,
    OperationalError,
    InterfaceError,
    ledger.PositionMovedError,
)


class Counter:
    """Reads the stream in batches and commits each with the position after it."""

    def __init__(self, on_batch: OnBatch | None = None) -> None:
        self._client = valkey.own_connection()
        self._stream = stream.name()
        self._on_batch = on_batch
        self._meter = activity.ByteMeter()
        self._tallied: OrderedDict[UUID, None] = OrderedDict()
        self._position: str | None = None
        self._drained_at = 0.0

    def run(self, stop: Event) -> None:
        """Count until ``stop`` is set; waits while another process counts or an engine is away."""
        delay = 0.0
        while not stop.is_set():
            try:
                with _only_counter(stop):
                    self._position = None
                    while not stop.is_set():
                        self._turn(stop)
                        delay = 0.0
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
        handled = self.step(block_ms=BLOCK_MS)
        if 0 < handled < BATCH_MESSAGES:
            stop.wait(max(0.0, PACE_SECONDS - (time.monotonic() - began)))

    def step(self, *, block_ms: int | None = None) -> int:
        """Count one batch; how many messages it had. Waits up to ``block_ms`` for the first."""
        if self._position is None:
            self._position = ledger.position_of(self._stream)
            self._follow_new_stream()
            self._trim()
        found = cast(
            "list[tuple[bytes, list[Entry]]]",
            self._client.xread(
                {self._stream: self._position}, count=BATCH_MESSAGES, block=block_ms
            ),
        )
        if not found:
            self._follow_new_stream()
            return 0
        messages = [read_message(entry.decode(), fields) for entry, fields in found[0][1]]
        self._commit(messages)
        return len(messages)

    def _commit(self, messages: Sequence[Message]) -> None:
        """Write a batch; when one of its messages can't be written, all the others are."""
        at = now()
        try:
            batch, downloads = self._write(messages, at)
        except _PASSING:
            self._position = None  # whether the transaction was committed, only the database knows
            raise
        except Exception:
            if len(messages) > 1:
                middle = len(messages) // 2
                self._commit(messages[:middle])
                self._commit(messages[middle:])
                return
            if messages[0].hit is None:
                raise
            logger.exception("Message %s can't be counted", messages[0].id)
            self._commit([Message(messages[0].id, None)])
            return
        self._position = messages[-1].id
        self._remember(batch.tallied)
        self._trim()
        self._tell(messages, batch, downloads, at)

    def _write(self, messages: Sequence[Message], at: datetime) -> tuple[Batch, list[NewDownload]]:
        if self._position is None:
            self._position = ledger.position_of(self._stream)
        with transaction.atomic():
            ledger.advance(self._stream, expected=self._position, to=messages[-1].id)
            around = Surroundings(
                now=at,
                owners=ledger.owners_of({m.hit.episode for m in messages if m.hit is not None}),
                day_keys=keys_for(days_of(messages, now=at)),
                data_centres=data_centres(),
                classify=classify,
                country_of=country_of,
                already_tallied=self._tallied,
            )
            batch = gather(messages, around)
            reached = ledger.unite(batch.pieces)
            downloads = ledger.settle(reached, at=at, ceiling=settings.ADDRESS_CEILING)
            ledger.tally(batch.drops)
        return batch, downloads

    def _remember(self, tallied: Iterable[UUID]) -> None:
        """Only after the commit: what was rolled back comes again and has to be tallied."""
        self._tallied.update(dict.fromkeys(tallied))
        while len(self._tallied) > REMEMBERED_DROPS:
            self._tallied.popitem(last=False)

    def _trim(self) -> None:
        """Forget what is committed: addresses stay in the stream for moments only."""
        position = self._position or ledger.BEGINNING
        self._client.xtrim(self._stream, minid=stream.next_id(position), approximate=False)

    def _follow_new_stream(self) -> None:
        """After a loss of Valkey's data with a clock set back, ids start below the position.

        What is committed gets trimmed, so all of the new stream is new.
        """
        try:
            last: bytes = self._client.xinfo_stream(self._stream)["last-generated-id"]
        except redis.ResponseError:
            return  # no hit yet
        position = self._position or ledger.BEGINNING
        if stream.parse_id(last.decode()) < stream.parse_id(position):
            ledger.advance(self._stream, expected=position, to=ledger.BEGINNING)
            self._position = ledger.BEGINNING

    def _tell(
        self,
        messages: Sequence[Message],
        batch: Batch,
        downloads: Sequence[NewDownload],
        at: datetime,
    ) -> None:
        """Show what happened; the count stands whether or not that works."""
        try:
            pulse = activity.take_pulse(messages, batch.listening, self._meter)
            activity.store(self._client, pulse)
            if self._on_batch is None:
                return
            shows = list(pulse.shows | {download.show for download in downloads})
            now_ms = int(at.timestamp() * 1000)
            platform, *of_shows = activity.read(self._client, [None, *shows], now_ms=now_ms)
            self._on_batch(
                BatchSummary(
                    at=at,
                    messages=len(messages),
                    downloads=tuple(downloads),
                    bytes_sent=pulse.bytes_sent,
                    activity=dict[UUID, Activity](zip(shows, of_shows, strict=True)),
                    platform=platform,
                )
            )
        except Exception:
            logger.exception("The live dashboards were not told of a batch")


@contextmanager
def _only_counter(stop: Event) -> Iterator[None]:
    """Hold the lock that one process in the installation can hold; wait for it.

    It belongs to this database connection and ends with it, even by a kill. The position's
    compare-and-set would keep two counters right as well, but they would undo each other's work.
    """
    is_locked = _try_lock()
    if not is_locked:
        logger.info("Another process is counting; waiting for it to end")
    while not is_locked and not stop.wait(0.5):
        is_locked = _try_lock()
    try:
        yield
    finally:
        if is_locked:
            _unlock()


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _unlock() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    except (OperationalError, InterfaceError):
        logger.debug("The lock went with the connection")
