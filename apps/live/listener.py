"""A socket that only listens."""

import json
from abc import ABC
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from apps.live.listening import Listening, RefusedError

TOO_BIG = 1009
POLICY = 1008

# A client that talks much where it should listen is broken or hostile.
MAX_CLIENT_MESSAGE_CHARS = 1024
MAX_CLIENT_MESSAGES = 20

_HEARTBEAT = json.dumps({"type": "heartbeat"})


class Listener(Listening, AsyncWebsocketConsumer, ABC):  # type: ignore[misc]
    """One open page's WebSocket."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._messages_left = MAX_CLIENT_MESSAGES

    async def connect(self) -> None:
        """Refuse, or accept and send the current state."""
        try:
            await self.join()
        except RefusedError as refused:
            await self.refuse(refused)
            return
        await self.accept()
        await self.send(text_data=await self.first_message())
        self.follow()

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Nothing may follow."""
        self.fall_silent()
        await super().close(code, reason)

    async def disconnect(self, code: int) -> None:
        """It closed, whoever closed it."""
        await self.leave()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Nothing that a client says changes anything; too much of it ends the socket."""
        self._messages_left -= 1
        if len(text_data or bytes_data or "") > MAX_CLIENT_MESSAGE_CHARS:
            await self.close(TOO_BIG)
        elif self._messages_left < 0:
            await self.close(POLICY)

    async def write(self, text: str | None) -> None:
        await self.send(text_data=_HEARTBEAT if text is None else text)

    async def refuse(self, refused: RefusedError) -> None:
        await self.close(refused.code)
