"""Record a hit: into this process's journal at once, and from there into the stream in Valkey."""

import atexit
import os

from apps.downloads.hit import Hit
from apps.downloads.shipper import Shipper
from apps.downloads.writer import Writer

__all__ = ["Hit", "close", "record", "record_message", "settle", "start"]

# A stop waits no longer for Valkey: what is left in the journal is shipped by others.
CLOSE_SECONDS = 2.0

_writer = Writer()
_shipper = Shipper(_writer)


def record(hit: Hit) -> None:
    """Record a hit: no death of a process takes it when this returns.

    Waits for no engine and never raises. A power cut may take what was recorded in the moment
    before, until Valkey has it on its disk.
    """
    record_message(hit.to_json())


def record_message(message: bytes) -> None:
    """As :func:`record`, for a hit that is rendered already; see ``Hit.to_json``."""
    _writer.append(message)
    if _shipper.is_resting:
        _shipper.start()


def start() -> None:
    """Ship what dead processes left on this disk, without waiting for the first hit."""
    _shipper.start()


def settle(seconds: float = 10.0) -> bool:
    """Wait until everything that was recorded is in the stream; whether it is."""
    return _shipper.settle(seconds)


def close(seconds: float = CLOSE_SECONDS) -> None:
    """Ship what is left, within this time. The next hit begins anew."""
    global _writer, _shipper
    closing = _shipper
    _writer = Writer()
    _shipper = Shipper(_writer)
    closing.close(seconds)


def _begin_in_child() -> None:
    global _writer, _shipper
    inherited = _writer
    _writer = Writer()
    _shipper = Shipper(_writer)
    inherited.close_after_fork()


atexit.register(close)
os.register_at_fork(after_in_child=_begin_in_child)
