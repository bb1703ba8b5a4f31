"""How log files of an instance are kept from growing for ever."""

from pathlib import Path

MAX_BYTES = 10 * 1024**2
KEPT = 4


def open_for_append(log: Path) -> Path:
    """The log, rotated first when it has grown too long: NAME.log.1 is the next older one."""
    if log.exists() and log.stat().st_size > MAX_BYTES:
        for number in range(KEPT - 1, 0, -1):
            older = log.with_name(f"{log.name}.{number}")
            if older.exists():
                older.replace(log.with_name(f"{log.name}.{number + 1}"))
        log.replace(log.with_name(f"{log.name}.1"))
    return log
