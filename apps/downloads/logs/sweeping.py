"""One pass over a source's files: each is read to its present end, and old ones are deleted."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import batched
from uuid import UUID

from django.db import OperationalError, connection

from apps.core.clock import now
from apps.downloads.logs.files import forget_unseen, known_files, needs_reading, take_file
from apps.downloads.logs.formats import UNUSABLE
from apps.downloads.logs.importing import Importer, PositionMovedError, Progress, finish
from apps.downloads.logs.making import HitMaker
from apps.downloads.logs.mapping import Mapping
from apps.downloads.logs.models import FileState, LogFile, LogSource
from apps.downloads.logs.places import FoundFile, LogPlace, PlaceError, matches, place_at
from apps.downloads.logs.reading import CHUNK_LINES, UnreadableFileError, is_compressed
from apps.downloads.logs.seam import CountHits

logger = logging.getLogger(__name__)

type Tell = Callable[[LogFile, Progress], None]

_FILES_AT_ONCE = 500
_LONGEST_NAME = 1024
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=2), timedelta(days=1)
_FAILURES = (UnreadableFileError, OSError, PositionMovedError, *UNUSABLE)

# Of this installation's database; with the source's own half it names one lock.
_LOCK = 0x4C6F6773


@dataclass(slots=True)
class Swept:
    """What a pass came to.

    ``is_listed``: everything that lies there was looked at. ``is_complete``: none of it is left
    to be read.
    """

    files: int = 0
    deleted: int = 0
    read: Progress = field(default_factory=Progress)
    problems: list[str] = field(default_factory=list)
    is_listed: bool = False
    is_complete: bool = False
    is_busy: bool = False  # somebody else is reading the source


class Sweeper:
    """Passes over sources; ``has_to_stop`` is asked after each chunk."""

    def __init__(
        self,
        count: CountHits,
        *,
        tell: Tell = lambda file, progress: None,
        has_to_stop: Callable[[], bool] = lambda: False,
        deletes: bool = True,
        chunk_lines: int = CHUNK_LINES,
    ) -> None:
        self._count, self._tell, self._has_to_stop = count, tell, has_to_stop
        self._deletes, self._chunk_lines = deletes, chunk_lines

    def sweep(self, source: LogSource) -> Swept:
        """One pass; what goes wrong with the place or a file is told, not raised."""
        swept = Swept()
        with _only_one(source.id) as is_ours:
            if not is_ours:
                swept.is_busy = True
                return swept
            began_at = now()
            try:
                place = place_at(source.place)
                swept.is_complete = self._read_all(source, place, swept)
                if swept.is_listed:
                    forget_unseen(source)
                if self._deletes:  # at last: what can't be deleted was read all the same
                    swept.deleted = _delete_old(source, place)
            except PlaceError as error:
                swept.problems.append(str(error))
            _note(source, swept, began_at=began_at)
        return swept

    def _read_all(self, source: LogSource, place: LogPlace, swept: Swept) -> bool:
        importer = Importer(
            HitMaker(source, Mapping(source)),
            self._count,
            tell=self._heard_by(swept),
            has_to_stop=self._has_to_stop,
            chunk_lines=self._chunk_lines,
        )
        is_complete = True
        for group in batched(_listed(source, place), _FILES_AT_ONCE, strict=False):
            known = known_files(source, group)
            for found in group:
                if not matches(found.name, source.name_pattern):
                    continue
                if self._has_to_stop():
                    return False
                row = known.get(found.name)
                if needs_reading(row, found):
                    is_complete &= self._read(source, place, row, found, importer, swept)
                elif row is not None and row.state == FileState.FAILED:
                    is_complete = False
        swept.is_listed = True
        return is_complete

    def _heard_by(self, swept: Swept) -> Tell:
        def tell(file: LogFile, progress: Progress) -> None:
            swept.read.add(progress)
            self._tell(file, progress)

        return tell

    def _read(
        self,
        source: LogSource,
        place: LogPlace,
        row: LogFile | None,
        found: FoundFile,
        importer: Importer,
        swept: Swept,
    ) -> bool:
        """Read one file to its end; whether it was reached."""
        try:
            with place.fetch(found.name) as path:
                row = take_file(source, row, found, path, has_renames=place.has_renames)
                if row is None:
                    return True
                is_whole = found.is_whole or is_compressed(path)
                is_at_end = importer.read(row, path, is_whole=is_whole)
        except FileNotFoundError:
            return True  # renamed or deleted since it was listed
        except OperationalError as error:  # a deadlock, say: no fault of the file
            swept.problems.append(f"{found.name}: {error}")
            return False
        except _FAILURES as error:
            swept.problems.append(f"{found.name}: {error}")
            _fail(source, row, found, str(error))
            return False
        swept.files += 1
        # A last line that is being written is looked for again, also when the file stays as it is.
        if is_at_end and (is_whole or row.position >= found.size_bytes):
            finish(row)
        return is_at_end


def _listed(source: LogSource, place: LogPlace) -> Iterator[FoundFile]:
    for found in place.find():
        if len(found.name) > _LONGEST_NAME or not found.name.isprintable():
            logger.warning("A log of %s is passed over for its name: %r", source, found.name)
            continue
        yield found


def _fail(source: LogSource, row: LogFile | None, found: FoundFile, error: str) -> None:
    """Try again later, and sooner when the file changes."""
    row = row or LogFile(source=source, name=found.name)
    attempts = row.attempts + 1
    wait = min(_LAST_RETRY, _FIRST_RETRY * 2 ** min(attempts, 12))
    told = {
        "state": FileState.FAILED,
        "version": found.version,
        "size_bytes": found.size_bytes,
        "attempts": attempts,
        "retry_at": now() + wait,
        "error": error,
    }
    for name, value in told.items():
        setattr(row, name, value)
    row.save(update_fields=None if row._state.adding else told)


def _note(source: LogSource, swept: Swept, *, began_at: object) -> None:
    changed: dict[str, object] = {"error": "\n".join(swept.problems[:20])}
    if swept.is_complete:
        changed["complete_at"] = began_at
    LogSource.objects.filter(id=source.id).update(**changed)


def _delete_old(source: LogSource, place: LogPlace) -> int:
    """Delete files that were read to their end long ago, if the source says so."""
    if source.delete_after_days is None:
        return 0
    before = now() - timedelta(days=source.delete_after_days)
    old = LogFile.objects.filter(source=source, state=FileState.DONE, read_at__lt=before)
    deleted = 0
    for row in old.iterator():
        if place.delete(row.name, row.version):
            LogFile.objects.filter(id=row.id).update(state=FileState.GONE)
            deleted += 1
    return deleted


@contextmanager
def _only_one(source_id: UUID) -> Iterator[bool]:
    """Whether nobody else reads this source; it belongs to the connection and ends with it."""
    key = _LOCK << 32 | source_id.int & 0xFFFF_FFFF
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_ours = bool(cursor.fetchone()[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
