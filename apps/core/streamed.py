"""A request whose body is read as it arrives, never held in memory or copied to a file first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIRequest

type Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class StreamedRequest(ASGIRequest):
    """What views of the data plane get; `body` is empty, `stream_body` is the body."""

    receive: Receive  # set by the handler

    async def stream_body(self) -> AsyncIterator[bytes]:
        """The body in the server's pieces; RequestAborted when the client left or stalls."""
        is_more = True
        while is_more:
            try:
                async with asyncio.timeout(self.body_receive_timeout):
                    message = await self.receive()
            except TimeoutError as error:
                raise RequestAborted from error
            if message["type"] == "http.disconnect":
                raise RequestAborted
            if chunk := message.get("body", b""):
                yield chunk
            is_more = message.get("more_body", False)
