"""Waiting for the counter, so that no measurement runs beside the work of an earlier one."""

import time

from django.conf import settings

from apps.core import valkey
from apps.downloads import stream
from bench.load.bodies import FaultError

PATIENCE_SECONDS = 120


def wait_until_counted() -> None:
    """Until journals and stream are empty: what is committed is taken out of the stream."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _is_shipped() or valkey.connection().xlen(stream.name()):
        if time.monotonic() > deadline:
            raise FaultError(f"the hits were not counted within {PATIENCE_SECONDS} s")
        time.sleep(0.05)


def _is_shipped() -> bool:
    for file in settings.SPOOL_ROOT.glob("*.journal"):
        try:
            size = file.stat().st_size
        except FileNotFoundError:  # it was, and is done with
            continue
        if int(valkey.connection().get(valkey.key("spool", file.name)) or 0) < size:
            return False
    return True
