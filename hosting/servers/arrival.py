"""Waiting until a client has acknowledged what the kernel took for it."""

import asyncio

from hosting.servers.file_sending import Line
from hosting.servers.limits import SEND_TIMEOUT_SECONDS
from hosting.servers.socket_queue import undelivered_bytes

_FIRST_LOOK_SECONDS = 0.005
_LONGEST_LOOK_SECONDS = 0.5


async def wait_for_arrival(line: Line, at_most_bytes: int) -> int:
    """Wait until no more is under way; how much is, then.

    Nothing tells of an acknowledgement, so it is looked for, less and less often. Raises
    ClientGoneError, also when the client takes nothing for as long as it may.
    """
    loop = asyncio.get_running_loop()
    look_seconds, before, moved_at = _FIRST_LOOK_SECONDS, 0, loop.time()
    while (under_way := undelivered_bytes(line.fileno())) > at_most_bytes:
        if under_way != before:
            before, moved_at = under_way, loop.time()
        elif loop.time() - moved_at > SEND_TIMEOUT_SECONDS:
            raise line.gone()
        await asyncio.sleep(look_seconds)
        look_seconds = min(2 * look_seconds, _LONGEST_LOOK_SECONDS)
    return under_way
