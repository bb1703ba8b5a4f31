"""Which row a file of a log belongs to, whatever it is called now."""

from hashlib import blake2b
from pathlib import Path

from django.db import transaction

from apps.core.clock import now
from apps.downloads.logs.models import FileState, LogFile, LogSource
from apps.downloads.logs.places import FoundFile
from apps.downloads.logs.reading import HEAD_BYTES, read_head


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
            row = LogFile.objects.filter(source=source, head_digest=_digest(head)).last()
        if row is None:
            row = LogFile(source=source)
        row.name = found.name
        row.state = FileState.READING
        row.size_bytes, row.version = found.size_bytes, found.version
        row.head_bytes, row.head_digest = len(head), _digest(head)
        row.save()
    return row


def _has_begun_with(row: LogFile, head: bytes) -> bool:
    # Without a beginning it is a file that could never be opened.
    return row.head_bytes == 0 or _digest(head[: row.head_bytes]) == row.head_digest


def _digest(head: bytes) -> str:
    return blake2b(head[:HEAD_BYTES], digest_size=16).hexdigest()
