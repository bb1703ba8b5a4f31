"""How a connection waits for its client: uvicorn's flow control, of a size for thousands."""

import asyncio
from typing import cast

from uvicorn.protocols.http.flow_control import FlowControl


class Flag:
    """An asyncio.Event for one who waits, of a tenth of its size: thousands of clients have two."""

    __slots__ = ("_is_set", "_waiter")

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self) -> None:
        while not self._is_set:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None


class Flow(FlowControl):
    """The base class's, with flags."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = False
        self.write_paused = False
        self._is_writable_event = cast("asyncio.Event", Flag())
        self._is_writable_event.set()
