"""Which row a file of a log belongs to, whatever it is called now, and for how long it is kept."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path

from django.db import transaction
from django.db.models import F

from apps.core.clock import now
from apps.downloads.logs.models import FileState, LogFile, LogSource
from apps.downloads.logs.places import FoundFile
from apps.downloads.logs.reading import HEAD_BYTES, read_head

KEPT_UNSEEN = timedelta(days=30)
"""How long a row outlives its file.

Should the file come back later it is read again, and counts nothing: its days are long closed.
"""

_NOTED_EVERY = timedelta(days=1)


def known_files(source: LogSource, found: Sequence[FoundFile]) -> dict[str, LogFile]:
    """The rows of these files by their names, which are noted to be there still."""
    rows = LogFile.objects.filter(source=source, name__in=[one.name for one in found])
    known = {row.name: row for row in rows.exclude(state=FileState.GONE)}
    stale = [row.id for row in known.values() if row.seen_at < now() - _NOTED_EVERY]
    if stale:
        LogFile.objects.filter(id__in=stale).update(seen_at=now())
    return known


def forget_unseen(source: LogSource) -> None:
    """Forget files that are gone for long; to be called when all that lies there was noted."""
    LogFile.objects.filter(source=source, seen_at__lt=now() - KEPT_UNSEEN).delete()


def needs_reading(row: LogFile | None, found: FoundFile) -> bool:
    """Whether something may have come to a file since it was read."""
    if row is None or row.state == FileState.READING or row.version != found.version:
        return True
    return row.state == FileState.FAILED and (row.retry_at is None or row.retry_at <= now())


def take_file(
    source: LogSource, row: LogFile | None, found: FoundFile, path: Path, *, has_renames: bool
) -> LogFile | None:
    """The row of what lies there now; None for an empty file.

    ``row`` is the one that had this name last. When something else has the name now, as after
    logrotate, that row waits as gone for its content to turn up under another name.
    """
    head = read_head(path)
    with transaction.atomic():
        if row is not None and not _has_begun_with(row, head):
            LogFile.objects.filter(id=row.id, name=found.name).update(state=FileState.GONE)
            row = None
        if not head:
            return row
        if row is None and has_renames:
            row = _with_content(source, head)
        if row is None:
            row = LogFile(source=source)
        row.source = source  # known, and so not asked for again
        row.name = found.name
        row.state, row.seen_at = FileState.READING, now()
        row.size_bytes, row.version = found.size_bytes, found.version
        row.head_bytes, row.head_digest = len(head), _digest(head)
        row.save()
    return row


def _with_content(source: LogSource, head: bytes) -> LogFile | None:
    rows = LogFile.objects.filter(source=source)
    if (same := rows.filter(head_digest=_digest(head)).last()) is not None:
        return same
    # One that was shorter than a head when it was read, and grew before it was renamed. What is
    # beyond the bytes that were compared must not have been read: it might be another file.
    shorter = rows.filter(
        state=FileState.GONE,
        head_bytes__range=(1, len(head) - 1),
        position__lte=F("head_bytes"),
    )
    for row in shorter.order_by("-head_bytes", "-id").iterator():
        if _has_begun_with(row, head):
            return row
    return None


def _has_begun_with(row: LogFile, head: bytes) -> bool:
    # Without a beginning it is a file that could never be opened.
    return row.head_bytes == 0 or _digest(head[: row.head_bytes]) == row.head_digest


def _digest(head: bytes) -> str:
    return blake2b(head[:HEAD_BYTES], digest_size=16).hexdigest()
