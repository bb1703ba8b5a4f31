"""The publisher of a counting process, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from channels.layers import get_channel_layer

from apps.live.groups import Board
from apps.live.publish import Publisher


async def _send_to_groups(messages: Mapping[Board, str]) -> None:
    layer: Any = get_channel_layer()
    for board, text in messages.items():
        await layer.group_send(board.group, {"type": "board.message", "text": text})


@contextmanager
def publishing() -> Iterator[Publisher]:
    """A publisher in a thread of its own; the counter calls its ``note`` after every batch."""
    stop = threading.Event()
    # One loop for good: the channel layer keeps its connection per loop.
    with asyncio.Runner() as runner:
        publisher = Publisher(send=lambda messages: runner.run(_send_to_groups(messages)))
        thread = threading.Thread(target=publisher.run, args=(stop,), name="live", daemon=True)
        thread.start()
        try:
            yield publisher
        finally:
            stop.set()
            thread.join(timeout=10)
