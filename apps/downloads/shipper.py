"""The thread that ships a process's journal, and those of its dead neighbours on the same disk."""

import logging
import math
import threading
import time

import redis
from django.conf import settings

from apps.core import valkey
from apps.downloads import shipping
from apps.downloads.journal import Lines
from apps.downloads.writer import Writer

logger = logging.getLogger(__name__)

# What is recorded meanwhile shares a round trip, and each takes the interpreter away from the
# sending. After a quiet moment nothing waits for it.
PAUSE_SECONDS = 0.1
RETRY_SECONDS = 1.0
# How often neighbours are looked for, and whether a file of ours is old.
LOOK_SECONDS = 5.0
NEIGHBOUR_BYTES = 4 * 1024 * 1024


class Shipper:
    """Rests while there is nothing to ship; whoever appends starts it when it does."""

    def __init__(self, writer: Writer) -> None:
        self.is_resting = True
        self._writer = writer
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._deadline = math.inf
        self._has_shipped = False
        self._is_held_up = False
        self._looked_at = -LOOK_SECONDS

    def start(self) -> None:
        """See at once to what is there, now and from now on."""
        self.is_resting = False
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="hits", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is ending: others will find the journal
                    return
                self._thread = thread
        self._wake.set()

    def settle(self, seconds: float) -> bool:
        """Wait until everything is in the stream; whether it is."""
        deadline = time.monotonic() + seconds
        while self._writer.is_anything_left():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def close(self, seconds: float) -> None:
        """Ship what is left if that takes no longer, and leave the rest to whoever finds it."""
        self._deadline = time.monotonic() + seconds
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)
        else:
            self._writer.close()

    def _run(self) -> None:
        client = valkey.own_connection()
        try:
            while not self._stop.is_set():
                if self._attempt(client):
                    self._rest()
                else:
                    self._stop.wait(RETRY_SECONDS)
            self._attempt(client)
        finally:
            self._writer.close()
            client.close()

    def _attempt(self, client: redis.Redis) -> bool:
        """Ship what is there; whether nothing is in the way."""
        try:
            self._turn(client)
        except shipping.StreamFullError:
            self._tell("the stream is full")
            return False
        except redis.RedisError as error:
            self._tell(repr(error))
            return False
        except Exception:
            logger.exception("Hits could not be shipped; they are tried again")
            return False
        self._tell(None)
        return True

    def _turn(self, client: redis.Redis) -> None:
        self._has_shipped = False
        is_last = self._stop.is_set()
        finished = self._writer.give_up_all() if is_last else ()
        for lines in self._writer.left():
            self._ship(client, lines)
        for lines in finished or self._writer.give_up_old():
            if lines.shipped >= lines.size and shipping.finish(client, lines):
                self._writer.remove(lines)
        if not is_last and time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            shipping.drain(client, settings.SPOOL_ROOT, at_most_bytes=NEIGHBOUR_BYTES)

    def _ship(self, client: redis.Redis, lines: Lines) -> None:
        """As far as they are whole now: what is written meanwhile is for the next turn."""
        end = lines.size
        try:
            while lines.shipped < end and time.monotonic() < self._deadline:
                shipping.ship(client, lines)
                self._has_shipped = True
        except OSError:
            logger.exception("%s can't be read; it is left to be drained", lines.name)
            self._writer.give_up(lines)

    def _rest(self) -> None:
        if self._has_shipped:
            self._stop.wait(PAUSE_SECONDS)
            return
        self.is_resting = True
        # Only now does an appender call: what was written before that would wait.
        if not self._writer.is_anything_left() and not self._stop.is_set():
            self._wake.wait(LOOK_SECONDS)
        self.is_resting = False
        self._wake.clear()

    def _tell(self, obstacle: str | None) -> None:
        """Log when shipping begins to be held up, and when it goes on."""
        if obstacle is not None and not self._is_held_up:
            logger.warning("Hits wait in the journal: %s", obstacle)
        elif obstacle is None and self._is_held_up:
            logger.info("Hits are shipped again")
        self._is_held_up = obstacle is not None
