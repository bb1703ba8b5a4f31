"""Read one log file: what is counted and how far it was read are committed together."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DataError, IntegrityError, transaction

from apps.core.clock import now
from apps.downloads.hit import Hit
from apps.downloads.logs.making import HitMaker, Made
from apps.downloads.logs.mapping import SkipReason
from apps.downloads.logs.models import BadLine, FileState, LogFile
from apps.downloads.logs.reading import Chunk, Place, Problem, read_chunks
from apps.downloads.logs.seam import CountHits

logger = logging.getLogger(__name__)

KEPT_BAD_LINES = 100  # of a file; the others are only counted


class PositionMovedError(RuntimeError):
    """Somebody else read the same file at the same time: nothing of this chunk was stored."""


@dataclass(slots=True)
class Progress:
    """What was read; adds up over chunks, files and sources."""

    lines: int = 0
    hits: int = 0
    bad_lines: int = 0
    skipped: Counter[SkipReason] = field(default_factory=Counter)

    def add(self, other: "Progress") -> None:
        """Take what the other one read as well."""
        self.lines += other.lines
        self.hits += other.hits
        self.bad_lines += other.bad_lines
        self.skipped += other.skipped


@dataclass(frozen=True, slots=True)
class Importer:
    """How files of one source are read. ``tell`` hears of every chunk that was committed."""

    maker: HitMaker
    count: CountHits
    tell: Callable[[LogFile, Progress], None]
    has_to_stop: Callable[[], bool]
    chunk_lines: int

    def read(self, file: LogFile, path: Path, *, is_whole: bool) -> bool:
        """Read on where it was left; whether the end was reached.

        Raises UnreadableFileError, OSError, PositionMovedError or one of formats.UNUSABLE; the
        chunks before are counted all the same.
        """
        place = Place(file.position, file.line_number, file.header)
        for chunk in read_chunks(
            path, file.source.layout, place, is_whole=is_whole, chunk_lines=self.chunk_lines
        ):
            made = self.maker.make(chunk.records)
            self._commit(file, chunk, made)
            self.tell(file, _progress(chunk, made))
            if self.has_to_stop():
                return False
        return True

    def _commit(self, file: LogFile, chunk: Chunk, made: Made) -> None:
        before = file.position
        _advance(file, chunk, made)

        def store() -> None:
            _store(file, before, chunk.problems)

        if made.hits:
            failed = self._count(made.hits, store)
            if failed:  # stored with the next chunk, or at the end of the file
                file.hits -= failed
                file.skipped = _sum(file.skipped, {SkipReason.UNCOUNTABLE: failed})
        else:
            _store_alone(store)

    def _count(self, hits: Sequence[Hit], store: Callable[[], None]) -> int:
        """Count all but those that the database refuses; how many these are.

        The place is stored with the last of them: who dies in between counts some again, which
        changes no download.
        """
        try:
            self.count(hits, store)
        except (IntegrityError, DataError):
            if len(hits) == 1:
                logger.exception("A request of a log can't be counted")
                _store_alone(store)
                return 1
            middle = len(hits) // 2
            return self._count(hits[:middle], lambda: None) + self._count(hits[middle:], store)
        return 0


def _store_alone(store: Callable[[], None]) -> None:
    with transaction.atomic():
        store()


def _sum(one: Mapping[str, int], other: Mapping[SkipReason, int]) -> dict[str, int]:
    total = Counter[str](one)
    for reason, number in other.items():
        total[reason] += number
    return dict(total)


def _progress(chunk: Chunk, made: Made) -> Progress:
    return Progress(chunk.lines, len(made.hits), len(chunk.problems), made.skipped)


def _advance(file: LogFile, chunk: Chunk, made: Made) -> None:
    file.position = chunk.place.position
    file.line_number = chunk.place.line_number
    file.header = chunk.place.header
    file.read_at = now()
    file.hits += len(made.hits)
    file.bad_lines += len(chunk.problems)
    file.skipped = _sum(file.skipped, made.skipped)


_ADVANCED = (
    "position",
    "line_number",
    "header",
    "hits",
    "bad_lines",
    "skipped",
    "read_at",
)


def _store(file: LogFile, before: int, problems: Sequence[Problem]) -> None:
    """Inside the transaction that counts; may run again after a rollback."""
    rows = LogFile.objects.filter(id=file.id, position=before)
    if rows.update(**{name: getattr(file, name) for name in _ADVANCED}) != 1:
        raise PositionMovedError(f"{file.name} was read by somebody else as well.")
    left = KEPT_BAD_LINES - (file.bad_lines - len(problems))
    BadLine.objects.bulk_create(
        [
            BadLine(file=file, line_number=p.line_number, reason=p.reason[:200], excerpt=p.excerpt)
            for p in problems[: max(0, left)]
        ],
        ignore_conflicts=True,
    )


def finish(file: LogFile) -> None:
    """Everything that is in the file now was read."""
    LogFile.objects.filter(id=file.id).update(
        state=FileState.DONE,
        hits=file.hits,
        skipped=file.skipped,
        read_at=file.read_at or now(),  # a new name alone makes no log younger
        attempts=0,
        retry_at=None,
        error="",
    )
