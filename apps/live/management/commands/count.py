"""Count downloads: read the stream of hits until told to stop."""

import signal
from threading import Event
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from apps.core import interpreter
from apps.core.vitals import Reporter
from apps.downloads.counter import Counter
from apps.downloads.spooled import spooled_bytes
from apps.live.publishing import publishing

# The most that the publisher, back from the database, waits for the counter's thread; each time.
_SWITCH_SECONDS = 0.0005


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        interpreter.prepare(switch_seconds=_SWITCH_SECONDS, batch_objects=interpreter.BATCH_OBJECTS)
        stop = Event()

        def leave(number: int, frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        reporter = Reporter("counter", spooled=spooled_bytes)
        reporter.start()
        try:
            with publishing() as publisher:
                Counter(on_batch=publisher.note).run(stop)
        finally:
            reporter.close()
