"""CloudFront's logs in Parquet: a column for each field, read some rows at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from apps.downloads.logs.cloudfront import record_maker, value_text
from apps.downloads.logs.reading import (
    Chunk,
    Place,
    Problem,
    UnreadableFileError,
    identified,
)
from apps.downloads.logs.records import BadLineError, LogRecord
from apps.downloads.logs.redaction import without_addresses

if TYPE_CHECKING:
    from arro3.core import RecordBatch, RecordBatchReader


def read_parquet_chunks(path: Path, start: Place, chunk_rows: int) -> Iterator[Chunk]:
    """The rows after ``start``; raises UnreadableFileError, UnusableFieldsError."""
    batches = _opened(path, chunk_rows)
    make = record_maker(batches.schema.names)
    end = 0
    while (batch := _next(batches)) is not None:
        begin, end = end, end + batch.num_rows
        if end > start.position:
            yield _chunk(batch, make, begin=begin, skip=max(0, start.position - begin))


def _chunk(
    batch: "RecordBatch", make: Callable[[list[str]], LogRecord], *, begin: int, skip: int
) -> Chunk:
    end = begin + batch.num_rows
    chunk = Chunk(Place(end, end), lines=batch.num_rows - skip)
    columns = [column.to_pylist()[skip:] for column in batch.columns]
    for number, row in enumerate(zip(*columns, strict=True), start=begin + skip + 1):
        values = [value_text(value) for value in row]
        line = "\t".join(values).encode("utf-8", "replace")
        try:
            chunk.records.append(identified(make(values), line))
        except BadLineError as error:
            chunk.problems.append(Problem(number, str(error), without_addresses(line)))
    return chunk


def _opened(path: Path, batch_rows: int) -> "RecordBatchReader":
    from arro3.io import read_parquet  # a library of some megabytes, for few

    with _told():
        return read_parquet(path, batch_size=batch_rows)


def _next(batches: "RecordBatchReader") -> "RecordBatch | None":
    with _told():
        return next(batches, None)


@contextmanager
def _told() -> Iterator[None]:
    """Make the reader's failures ours: of damaged files it raises a bare Exception, or panics.

    A panic of its Rust code is a BaseException whose class can't be imported.
    """
    try:
        yield
    except OSError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise UnreadableFileError(f"The Parquet file can't be read: {error}.") from error
        raise
