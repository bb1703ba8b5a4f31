"""Where hits wait while Valkey is away: lines in files, one file per process.

Lines are written with one call under a lock, so that a death of the process leaves at most the last
one torn. They are in the kernel's hands then, which any death of processes leaves intact; a power
cut may take the last seconds, as it may with Valkey itself.
"""

import fcntl
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.conf import settings

from apps.core import valkey
from apps.downloads import stream

logger = logging.getLogger(__name__)

_WRITING, _DRAINING = ".jsonl", ".drain"
_CHUNK_BYTES = 256 * 1024
_PROGRESS_SECONDS = 30 * 24 * 3600
_token = secrets.token_hex(8)

# Lines enter the stream and the progress moves in one step, and only from where it was read: a
# drain that dies, is repeated or runs twice adds every line exactly once.
_ADD_CHUNK = """
local progress = tonumber(redis.call('GET', KEYS[2]) or '0')
if progress ~= tonumber(ARGV[1]) then return 0 end
for index = 6, #ARGV do redis.call('XADD', KEYS[1], '*', ARGV[4], ARGV[index], ARGV[5], '1') end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
"""


def append(*lines: bytes) -> None:
    """Write messages (without line ends); raises OSError. Blocks: not for an event loop."""
    folder = settings.SPOOL_ROOT
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}-{_token}{_WRITING}"
    while True:
        with _locked(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, wait=True) as descriptor:
            if descriptor is not None:
                _write_whole(descriptor, b"".join(line + b"\n" for line in lines))
                return


def _write_whole(descriptor: int, line: bytes) -> None:
    before = os.fstat(descriptor).st_size
    try:
        written = os.write(descriptor, line)
    except OSError:
        os.ftruncate(descriptor, before)
        raise
    if written != len(line):  # the disk is full: half a line would spoil the next one
        os.ftruncate(descriptor, before)
        raise OSError("no room for a hit in the spool")


@contextmanager
def _locked(path: Path, flags: int, *, wait: bool) -> Iterator[int | None]:
    """The file, locked; None when it is in use (``wait`` False), or no longer at this path."""
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield descriptor if _is_at(descriptor, path) else None
    except BlockingIOError:
        yield None
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), found)


def drain(client: redis.Redis, *, at_most_bytes: int | None = None) -> int:
    """Move what waits on this disk into the stream; how many bytes were done with.

    Stops when about ``at_most_bytes`` are done, or while the stream is long. Safe to run
    anywhere, at any time and several times at once. Raises redis.RedisError when Valkey is away:
    nothing is lost, the next call goes on where this one stopped.
    """
    folder: Path = settings.SPOOL_ROOT
    if not folder.is_dir():
        return 0
    for path in sorted(folder.glob(f"*{_WRITING}")):
        _take_from_writer(path)
    done = 0
    for path in sorted(folder.glob(f"*{_DRAINING}")):
        if at_most_bytes is not None and done >= at_most_bytes:
            break
        done += _drain_file(client, path, at_most_bytes)
    return done


def _take_from_writer(path: Path) -> None:
    """Rename the file: its writer starts a new one and is never held up by the drain."""
    with _locked(path, os.O_RDONLY, wait=True) as descriptor:
        if descriptor is not None:
            path.rename(path.with_suffix(f".{time.time_ns()}{_DRAINING}"))


def _drain_file(client: redis.Redis, path: Path, at_most_bytes: int | None) -> int:
    done = 0
    progress_key = valkey.key("spool", path.name)
    with _locked(path, os.O_RDONLY, wait=False) as descriptor:
        if descriptor is None:
            return 0
        offset = _progress(client, progress_key)
        while chunk := _whole_lines(os.pread(descriptor, _CHUNK_BYTES, offset)):
            if at_most_bytes is not None and done >= at_most_bytes:
                return done
            if client.xlen(stream.name()) > stream.MAX_LENGTH // 2:
                return done
            _add_chunk(client, progress_key, offset, chunk)
            offset = _progress(client, progress_key)
            done += len(chunk)
        path.unlink()
    client.delete(progress_key)
    return done


def _whole_lines(content: bytes) -> bytes:
    """Up to the last line end; a file's torn last line counts as one, to be reported as such."""
    end = content.rfind(b"\n") + 1
    return content[:end] if end else content


def _add_chunk(client: redis.Redis, progress_key: str, offset: int, chunk: bytes) -> None:
    lines = [line for line in chunk.split(b"\n") if line]
    client.eval(
        _ADD_CHUNK,
        2,
        stream.name(),
        progress_key,
        offset,
        offset + len(chunk),
        _PROGRESS_SECONDS,
        stream.FIELD,
        stream.SPOOLED_FIELD,
        *lines,
    )


def _progress(client: redis.Redis, progress_key: str) -> int:
    return int(client.get(progress_key) or 0)
