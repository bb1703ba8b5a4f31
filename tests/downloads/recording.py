"""What is found on disk and in the stream, and processes of their own that record."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from apps.downloads import stream

NOWHERE = "redis://127.0.0.1:1/0"
_PROJECT = Path(__file__).resolve().parents[2]


def streamed(client: redis.Redis) -> list[bytes]:
    """The messages in the stream, oldest first."""
    entries: Any = client.xrange(stream.name())
    return [fields[stream.FIELD] for _, fields in entries]


def files() -> list[Path]:
    """What waits on disk."""
    return sorted(settings.SPOOL_ROOT.glob("*"))


@contextmanager
def child(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process on the same folder and Valkey, in which `hits` is imported; killed at the end."""
    configuration = (
        "from pathlib import Path; from django.conf import settings; settings.configure("
        f"SPOOL_ROOT=Path({str(settings.SPOOL_ROOT)!r}), REDIS_URL={settings.REDIS_URL!r}, "
        f"REDIS_PREFIX={settings.REDIS_PREFIX!r}); from apps.downloads import hits\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", configuration + code],
        cwd=_PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
