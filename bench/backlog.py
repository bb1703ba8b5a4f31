"""Waiting for the counter, so that no measurement runs beside the work of an earlier one."""

import time

from apps.core import valkey
from apps.downloads import stream
from bench.load.bodies import FaultError

PATIENCE_SECONDS = 120


def wait_until_counted() -> None:
    """Until the stream of hits is empty: what is committed is taken out of it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while valkey.connection().xlen(stream.name()):
        if time.monotonic() > deadline:
            raise FaultError(f"the hits were not counted within {PATIENCE_SECONDS} s")
        time.sleep(0.05)
