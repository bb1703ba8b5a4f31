"""A log file in chunks, from any place in it, in constant memory: plain, gzipped or Parquet."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from io import BufferedIOBase
from pathlib import Path

from apps.downloads.logs.formats import Layout
from apps.downloads.logs.records import BadLineError, LogRecord
from apps.downloads.logs.redaction import without_addresses

CHUNK_LINES = 5000
MAX_LINE_BYTES = 64 * 1024  # CloudFront allows 20 KB of header fields, nginx 32 KB
HEAD_BYTES = 4096
"""So much of a file tells it from every other: more than any header of a log."""

_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


class UnreadableFileError(Exception):
    """A file that is damaged or cut off; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read: bytes of its (uncompressed) lines, or rows of Parquet."""

    position: int = 0
    line_number: int = 0
    header: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is no record; its excerpt holds no address."""

    line_number: int
    reason: str
    excerpt: str


@dataclass(slots=True)
class Chunk:
    """Some lines that follow one another, and the place after them."""

    place: Place
    records: list[LogRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: int = 0


def read_chunks(
    path: Path, layout: Layout, start: Place, *, is_whole: bool, chunk_lines: int = CHUNK_LINES
) -> Iterator[Chunk]:
    """The lines after ``start``. A last line without an end is left alone unless the file is whole.

    Raises UnreadableFileError, OSError or one of formats.UNUSABLE; what comes before is given out
    first.
    """
    if _begins_with(path, _PARQUET):
        from apps.downloads.logs.parquet import read_parquet_chunks

        yield from read_parquet_chunks(path, start, chunk_lines)
        return
    with open_lines(path) as file:
        yield from _LineChunks(file, layout, start, is_whole, chunk_lines)


def open_lines(path: Path) -> BufferedIOBase:
    """The bytes of a file's lines, whether they are gzipped or not."""
    return gzip.open(path, "rb") if _begins_with(path, _GZIP) else path.open("rb")


def is_compressed(path: Path) -> bool:
    """Whether nobody can be appending to the file."""
    return _begins_with(path, _GZIP) or _begins_with(path, _PARQUET)


def read_head(path: Path) -> bytes:
    """What the file is recognised by, also when it was renamed, has grown or was gzipped since."""
    if _begins_with(path, _PARQUET):  # files of one format begin alike; their ends differ
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - HEAD_BYTES))
            return file.read()
    try:
        with open_lines(path) as lines:
            return lines.read(HEAD_BYTES)
    except _DAMAGE as error:
        raise _unreadable(error) from error


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


class _LineChunks:
    """Iterates over the chunks of an open file."""

    def __init__(
        self, file: BufferedIOBase, layout: Layout, start: Place, is_whole: bool, chunk_lines: int
    ) -> None:
        self._file, self._is_whole, self._chunk_lines = file, is_whole, chunk_lines
        self._parser = layout.lines(start.header)
        self._position, self._number = start.position, start.line_number

    def __iter__(self) -> Iterator[Chunk]:
        is_at_end = False
        failure: Exception | None = None
        try:
            self._file.seek(self._position)
        except _DAMAGE as error:
            raise _unreadable(error) from error
        while not is_at_end and failure is None:
            chunk = Chunk(Place())
            try:
                while chunk.lines < self._chunk_lines and not is_at_end:
                    is_at_end = not self._read_line(chunk)
            except _DAMAGE as error:
                failure = error
            chunk.place = Place(self._position, self._number, self._parser.header)
            if chunk.lines:
                yield chunk
        if failure is not None:
            raise _unreadable(failure) from failure

    def _read_line(self, chunk: Chunk) -> bool:
        """Put the next line into the chunk; whether there was one."""
        line = self._file.readline(MAX_LINE_BYTES)
        if not line:
            return False
        length = len(line)
        if not line.endswith(b"\n"):
            rest = self._skip_rest() if length == MAX_LINE_BYTES else 0
            if rest is None or (length < MAX_LINE_BYTES and not self._is_whole):
                return False
            length += rest
        self._position += length
        self._number += 1
        chunk.lines += 1
        self._parse(line, length, chunk)
        return True

    def _skip_rest(self) -> int | None:
        """Pass over the rest of a line that is too long; None when its end isn't written yet."""
        skipped = 0
        while piece := self._file.readline(MAX_LINE_BYTES):
            skipped += len(piece)
            if piece.endswith(b"\n"):
                return skipped
        return skipped if self._is_whole else None

    def _parse(self, line: bytes, length: int, chunk: Chunk) -> None:
        line = line.rstrip(b"\r\n")
        if not line:
            return
        try:
            if length > MAX_LINE_BYTES:
                raise BadLineError(f"the line is longer than {MAX_LINE_BYTES} bytes")
            record = self._parser.parse(line)
        except BadLineError as error:
            chunk.problems.append(Problem(self._number, str(error), without_addresses(line)))
            return
        if record is not None:
            chunk.records.append(identified(record, line))


def identified(record: LogRecord, line: bytes) -> LogRecord:
    """The record with an id: where the log has none, a repeated line has the same one."""
    if record.request_id:
        return record
    return record._replace(request_id=blake2b(line, digest_size=16).hexdigest())


def _unreadable(error: Exception) -> UnreadableFileError:
    return UnreadableFileError(f"The file is damaged or cut off: {error}.")
