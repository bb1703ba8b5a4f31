"""How work on a stranger's file runs: in a child with little memory, time, files and no secrets."""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from apps.media.refusals import FileRefusedError, PreparationError

logger = logging.getLogger(__name__)

type OnProgress = Callable[[int], None]

MIB: Final = 1 << 20
# PyAV alone maps 150 MB before it opens a file, and decoding any accepted format stays below
# 200 MB: this leaves room for large tags and tables, not for a bomb.
DEFAULT_MEMORY_BYTES: Final = 768 * MIB
_PROJECT = Path(__file__).resolve().parents[2]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); from apps.media.child.main import main; main()"
)
_LONGEST_OUTPUT = 32 * MIB
_LONGEST_COMPLAINT = 16 * 1024
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use; `memory_bytes` is address space, mapped files included."""

    wall_seconds: float
    cpu_seconds: int
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    written_bytes: int = 0
    open_files: int = 32


@dataclass(slots=True)
class _Conversation:
    """What a child has said so far."""

    on_progress: OnProgress | None
    pending: bytearray = field(default_factory=bytearray)
    complaint: bytearray = field(default_factory=bytearray)
    last_word: dict[str, Any] = field(default_factory=dict)

    def hear(self, data: bytes) -> None:
        self.pending += data
        if len(self.pending) > _LONGEST_OUTPUT:
            raise _crashed()
        *lines, rest = self.pending.split(b"\n") if b"\n" in data else [self.pending]
        self.pending = rest
        for line in lines:
            self._take(line)

    def overhear(self, data: bytes) -> None:
        self.complaint = (self.complaint + data)[-_LONGEST_COMPLAINT:]

    def _take(self, line: bytes | bytearray) -> None:
        message = json.loads(line)
        if "progress" not in message:
            self.last_word = message
        elif self.on_progress is not None:
            self.on_progress(message["progress"])


def run(
    job: str,
    arguments: Mapping[str, Any],
    *,
    limits: Limits,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Do `job` ("module:function") with JSON arguments in a child and return its JSON result.

    Raises `FileRefusedError` when the job refuses the file, and `PreparationError` when the child
    was stopped or crashed. An exception from `on_progress` stops the child and is passed on.
    """
    request = {
        "job": job,
        "arguments": dict(arguments),
        "limits": asdict(limits),
        "parent": os.getpid(),
    }
    with tempfile.TemporaryFile() as stdin:
        stdin.write(json.dumps(request).encode())
        stdin.seek(0)
        process = _start(stdin)
    talk = _Conversation(on_progress)
    deadline = time.monotonic() + limits.wall_seconds
    try:
        _listen(process, talk, deadline)
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _too_long() from None
    finally:
        _end(process)
    return _verdict(process.returncode, talk, job)


def _start(stdin: IO[bytes]) -> subprocess.Popen[bytes]:
    """-I and an empty environment: no secret, no path and no preloaded library is inherited."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
        [sys.executable, "-I", "-B", "-X", "utf8", "-c", _BOOT, str(_PROJECT)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        cwd="/",
        start_new_session=True,
    )


def _listen(process: subprocess.Popen[bytes], talk: _Conversation, deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        for pipe, take in ((process.stdout, talk.hear), (process.stderr, talk.overhear)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, take)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise _too_long()
            for key, _ in selector.select(left):
                data = os.read(key.fd, _READ_BYTES)
                if data:
                    key.data(data)
                else:
                    selector.unregister(key.fileobj)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the child's whole group: a grandchild would keep the file open."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _verdict(returncode: int, talk: _Conversation, job: str) -> dict[str, Any]:
    word = talk.last_word
    if "refused" in word:
        raise FileRefusedError(*word["refused"])
    if word.get("failed") == "memory":
        raise _out_of_memory()
    if word.get("failed") == "room":
        raise _out_of_room()
    if returncode == 0 and "result" in word:
        result: dict[str, Any] = word["result"]
        return result
    complaint = talk.complaint.decode(errors="replace")
    logger.warning("media child %s ended with %s: %s", job, returncode, complaint)
    if returncode == -signal.SIGXCPU:
        raise _too_long()
    if returncode == -signal.SIGKILL or "MemoryError" in complaint:
        raise _out_of_memory()
    raise _crashed()


def _too_long() -> PreparationError:
    return PreparationError(
        "too-long",
        "Reading this file took longer than any sound file of its size should, so it was stopped. "
        "Export the audio again and upload the new file.",
    )


def _out_of_memory() -> PreparationError:
    return PreparationError(
        "out-of-memory",
        "Reading this file needed far more memory than a sound file should, so it was stopped. "
        "Export the audio again, without very large pictures, and upload the new file.",
    )


def _out_of_room() -> PreparationError:
    return PreparationError(
        "out-of-room",
        "The playable version of this file would be too large to store. Export the audio as MP3 "
        "and upload that.",
    )


def _crashed() -> PreparationError:
    return PreparationError(
        "crashed",
        "This file made the decoder fail; it is probably damaged. Export the audio again and "
        "upload the new file.",
    )
