"""How log files of an instance are kept from growing for ever."""

import shutil
from pathlib import Path

MAX_BYTES = 10 * 1024**2
KEPT = 4


def rotate(log: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Move a log that has grown too long aside: NAME.log.1 is the newest of the older ones.

    Copied and emptied, not renamed: its writer goes on appending to the file it has open.
    """
    if not log.exists() or log.stat().st_size <= max_bytes:
        return
    for number in range(KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copy2(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
