"""Waiting for a condition instead of for a time."""

import asyncio
import threading
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Return when the condition holds; fail when it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.02)


async def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    """The same in an event loop, whose other tasks go on meanwhile."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def standstill(measure: Callable[[], int]) -> int:
    """What is measured, once it has not changed for a moment."""
    before, now = -1, measure()
    while now != before:
        await asyncio.sleep(0.2)
        before, now = now, measure()
    return now
