"""What the clock starts for the logs."""

import logging
import time

from celery import shared_task

from apps.downloads.logs.audio_versions import remember_current
from apps.downloads.logs.models import LogSource
from apps.downloads.logs.seam import count_hits
from apps.downloads.logs.sweeping import Sweeper, Swept

logger = logging.getLogger(__name__)

# Audio waits for this worker: what is left over is read at the next turn.
TURN_SECONDS = 90.0


@shared_task
def import_logs() -> None:
    """Read what is new at the active sources; running it twice, or at once, changes nothing."""
    sources = list(LogSource.objects.filter(is_active=True))
    if not sources:
        return
    remember_current()
    deadline = time.monotonic() + TURN_SECONDS
    sweeper = Sweeper(count_hits, has_to_stop=lambda: time.monotonic() > deadline)
    # The one that was complete longest ago first: none waits for ever behind a large one.
    sources.sort(key=lambda source: (source.complete_at or source.created_at, source.name))
    for source in sources:
        try:
            _tell(source, sweeper.sweep(source))
        except Exception:  # that of one source may not keep the others waiting
            logger.exception("Logs of %s could not be read", source)


def _tell(source: LogSource, swept: Swept) -> None:
    for problem in swept.problems:
        logger.warning("Logs of %s: %s", source, problem)
    if swept.read.lines or swept.deleted:
        logger.info(
            "Logs of %s: %d lines of %d files, %d hits, %d bad; %d files deleted",
            source,
            swept.read.lines,
            swept.files,
            swept.read.hits,
            swept.read.bad_lines,
            swept.deleted,
        )
