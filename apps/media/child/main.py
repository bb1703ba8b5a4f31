"""One job in one process: arguments on stdin, JSON lines on stdout, then the end."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from apps.media.child.confinement import confine
from apps.media.refusals import FileRefusedError

type Report = Callable[[float], None]
type Job = Callable[[dict[str, Any], Report], dict[str, Any]]

_OUT_OF_ROOM = {errno.EFBIG, errno.ENOSPC}


def main() -> None:
    """Read the request, confine this process, do the job, and say how it ended."""
    request = json.load(sys.stdin)
    speak = _private_stdout()
    confine(request["limits"], request["parent"])
    try:
        speak({"result": _job(request["job"])(request["arguments"], _reporter(speak))})
    except FileRefusedError as refused:
        speak({"refused": [refused.code, refused.message]})
    except MemoryError:
        speak({"failed": "memory"})
    except OSError as error:
        if error.errno not in _OUT_OF_ROOM:
            raise
        speak({"failed": "room"})


def _job(name: str) -> Job:
    module, _, function = name.partition(":")
    job: Job = getattr(import_module(module), function)
    return job


def _private_stdout() -> Callable[[dict[str, Any]], None]:
    """Keep stdout for the protocol: whatever a library prints goes to stderr."""
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def speak(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message).encode() + b"\n")
        channel.flush()

    return speak


def _reporter(speak: Callable[[dict[str, Any]], None]) -> Report:
    """Progress from 0 to 1, told in whole percents and never backwards."""
    told = -1

    def report(fraction: float) -> None:
        nonlocal told
        percent = max(0, min(100, int(fraction * 100)))
        if percent > told:
            told = percent
            speak({"progress": percent})

    return report
