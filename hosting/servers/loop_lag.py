"""How late an event loop is: the longest wait of whatever is due now."""

import asyncio

from apps.core.vitals import tally

_PROBE_SECONDS = 0.25


async def watch_lag() -> None:
    """Note for ever how much later than it should this task is woken."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _PROBE_SECONDS
        await asyncio.sleep(_PROBE_SECONDS)
        tally.loop_lag_seconds = max(tally.loop_lag_seconds, loop.time() - due)
