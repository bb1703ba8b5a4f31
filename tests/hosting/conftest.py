"""Folders, processes and instances for tests that start real engines."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).resolve().parents[2]
OURS = ("DATABASE_URL", "REDIS_URL", "LONGWAVE_DATA", "LONGWAVE_BASE_URL", "LONGWAVE_SECRET_KEY")


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder where every account may pass: pytest's own lie below a folder of mode 700."""
    folder = Path(tempfile.mkdtemp(prefix="longwave test "))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def plain_environment() -> dict[str, str]:
    """The environment without the addresses of the engines that these tests themselves run on."""
    return {name: value for name, value in os.environ.items() if name not in OURS}


def processes_naming(text: str) -> list[psutil.Process]:
    """Living processes whose command line, or whose environment, names this text."""
    found = []
    for process in psutil.process_iter():
        try:
            mentions = [*process.cmdline(), *process.environ().values()]
            is_alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if is_alive and process.pid != os.getpid() and any(text in part for part in mentions):
            found.append(process)
    return found
