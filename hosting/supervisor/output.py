"""What the processes of an instance say: on the console under their names, and in log files."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import IO

from hosting.engines.folder import DataFolder
from hosting.engines.logs import rotate

_COLOURS = {"web": 36, "worker": 35, "clock": 34, "counter": 33, "longwave": 32}
_PREPARING = 34
_WIDTH = 8
_CHUNK = 64 * 1024


class Output:
    """One speaker's voice. Lines of different speakers never mix: all write from one loop."""

    def __init__(self, folder: DataFolder, name: str) -> None:
        self.log = folder.log(name)
        self._prefix = _prefix(name)

    def say(self, text: str) -> None:
        self._write(text.encode() + b"\n")

    async def pump(self, pipe: IO[bytes]) -> None:
        """Pass on whole lines until the pipe's last writer is gone."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        rest = b""
        try:
            while chunk := await reader.read(_CHUNK):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                self._write(whole + newline)
                if len(rest) > _CHUNK:
                    self._write(rest + b"\n")
                    rest = b""
        finally:
            transport.close()
            if rest:
                self._write(rest + b"\n")

    def _write(self, lines: bytes) -> None:
        if not lines:
            return
        _append(self.log, lines)
        # The terminal may be gone (a hang-up); that must not stop the instance.
        with contextlib.suppress(OSError, ValueError):
            for line in lines.splitlines(keepends=True):
                sys.stdout.buffer.write(self._prefix + line)
            sys.stdout.buffer.flush()


def _append(log: Path, lines: bytes) -> None:
    rotate(log)
    with contextlib.suppress(OSError), log.open("ab") as file:
        file.write(lines)


def _prefix(name: str) -> bytes:
    label = f"{name:<{_WIDTH}} | "
    if sys.stdout.isatty():
        label = f"\x1b[{_COLOURS.get(name.partition('-')[0], _PREPARING)}m{label}\x1b[0m"
    return label.encode()
