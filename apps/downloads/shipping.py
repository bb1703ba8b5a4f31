"""How lines get from a journal into the stream: each once, whoever ships, dies or repeats."""

import logging
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import takewhile
from pathlib import Path

import redis

from apps.core import valkey
from apps.downloads import journal, stream
from apps.downloads.journal import JournalFile, Lines

logger = logging.getLogger(__name__)

# What is older enters the stream as late: it is counted, but not shown as what happens now.
LATE_SECONDS = 5.0

_PROGRESS_SECONDS = 30 * 24 * 3600
_FULL = -1

# Lines enter the stream and the progress moves in one step, and only from where they were read.
# It answers how far it is now, which is behind the sender when Valkey has lost its last moments.
_ADD = """
local progress = tonumber(redis.call('GET', KEYS[2]) or '0')
if progress ~= tonumber(ARGV[1]) then return progress end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
local after_stamp = tonumber(ARGV[5]) + 1
for line in string.gmatch(ARGV[6], '[^\\n]+') do
  redis.call('XADD', KEYS[1], '*', ARGV[7], string.sub(line, after_stamp), unpack(ARGV, 8))
end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return tonumber(ARGV[2])
"""


class StreamFullError(Exception):
    """The counter is far behind; what is on disk can wait there."""


def ship(client: redis.Redis, lines: Lines) -> None:
    """Move some lines into the stream. Raises StreamFullError, redis.RedisError or OSError."""
    chunk, is_late = _of_one_age(lines.read(lines.shipped), lines.stamp_bytes)
    reached = client.eval(
        _ADD,
        2,
        stream.name(),
        progress_key(lines.name),
        lines.shipped,
        lines.shipped + len(chunk),
        _PROGRESS_SECONDS,
        stream.MAX_LENGTH,
        lines.stamp_bytes,
        chunk,
        stream.FIELD,
        *((stream.SPOOLED_FIELD, b"1") if is_late else ()),
    )
    if reached == _FULL:
        raise StreamFullError
    lines.shipped = int(reached)


def finish(client: redis.Redis, lines: Lines) -> bool:
    """Remove what is shipped; whether that could be, which the stream itself must confirm."""
    find_progress(client, lines)
    if lines.shipped < lines.size:
        return False
    lines.remove()
    client.delete(progress_key(lines.name))
    return True


def find_progress(client: redis.Redis, lines: Lines) -> None:
    """Ask how far the lines are shipped."""
    lines.shipped = int(client.get(progress_key(lines.name)) or 0)


def drain(client: redis.Redis, folder: Path, *, at_most_bytes: int | None = None) -> int:
    """Ship what dead processes have left in a folder; how many bytes.

    Stops when about ``at_most_bytes`` are done, or while the stream is full. Safe to run anywhere,
    at any time and several times at once. Raises redis.RedisError when Valkey is away: nothing is
    lost, the next call goes on where this one stopped.
    """
    done = 0
    try:
        for file in journal.abandoned(folder):
            try:
                for count in _drain_file(client, file):
                    done += count
                    if at_most_bytes is not None and done >= at_most_bytes:
                        return done
            except OSError as error:
                journal.complain_once(file.path, str(error))
    except StreamFullError:
        logger.debug("The stream is full: journals of dead processes wait")
    return done


def _drain_file(client: redis.Redis, file: JournalFile) -> Iterator[int]:
    """Chunk by chunk; how many bytes each had."""
    find_progress(client, file)
    while not finish(client, file):
        before = file.shipped
        ship(client, file)
        yield file.shipped - before


def _of_one_age(chunk: bytes, stamp_bytes: int) -> tuple[bytes, bool]:
    """The first lines of a chunk that are all late, or all not, and which of these they are."""
    if not stamp_bytes:
        return chunk, True
    horizon = int((time.time() - LATE_SECONDS) * 1000)
    if _stamp(chunk) >= horizon:
        return chunk, False
    late = takewhile(lambda line: _stamp(line) < horizon, BytesIO(chunk))
    return b"".join(late), True


def _stamp(line: bytes) -> int:
    try:
        return int(line[: journal.STAMP_BYTES])
    except ValueError:
        return 0  # a torn line, or something else that nobody recorded just now


def progress_key(name: str) -> str:
    """Where Valkey has how far the lines of this name are in the stream, in bytes."""
    return valkey.key("spool", name)
