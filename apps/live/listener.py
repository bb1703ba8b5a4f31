"""A socket that only listens: who may, what they get first, and when they must go."""

import asyncio
import json
import logging
from abc import ABC, abstractmethod
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, cast

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from apps.accounts.models import User

logger = logging.getLogger(__name__)

# Close codes: 4000-4999 are for applications (RFC 6455, 7.4.2); these mirror HTTP's.
SIGN_IN_FIRST = 4401
NOT_ALLOWED = 4403
NOT_FOUND = 4404
TOO_BIG = 1009
POLICY = 1008

# A client that talks much where it should listen is broken or hostile.
MAX_CLIENT_MESSAGE_CHARS = 1024
MAX_CLIENT_MESSAGES = 20


class RefusedError(Exception):
    """The person may not listen here; ``code`` is what the socket is closed with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Listener(AsyncJsonWebsocketConsumer, ABC):  # type: ignore[misc]
    """One open page: its current state at once, then whatever comes to its group.

    Only the newest message waits for a slow client, so that it can't fill the memory.
    """

    # Checking again and the heartbeat; a removed member is out within this time.
    pulse_seconds: ClassVar[float] = 25.0

    def __init__(self, *, pulse_seconds: float | None = None) -> None:
        super().__init__()
        self._pulse_seconds = pulse_seconds or self.pulse_seconds
        self._group: str | None = None
        self._newest: str | None = None
        self._has_news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._messages_left = MAX_CLIENT_MESSAGES

    @abstractmethod
    def group(self) -> str:
        """The channel layer's group that this address listens to."""

    @abstractmethod
    def may_listen(self, user: "User") -> None:
        """Raise Http404 or PermissionDenied unless this signed-in person may listen."""

    @abstractmethod
    async def first_message(self) -> str:
        """What a page needs to begin with."""

    async def renew(self) -> None:
        """Called when the socket opens and at each pulse."""

    async def connect(self) -> None:
        """Refuse, or accept and send the current state."""
        try:
            await self._check(self.scope["user"])
        except RefusedError as refused:
            await self.close(refused.code)
            return
        self._group = self.group()
        # First the group, then the state: what happens between the two is in one of them.
        await self.channel_layer.group_add(self._group, self.channel_name)
        await self.renew()
        await self.accept()
        await self.send(text_data=await self.first_message())
        self._tasks = [asyncio.create_task(self._deliver()), asyncio.create_task(self._pulse())]

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        for task in self._tasks:
            task.cancel()
        if self._group is not None:
            with suppress(RedisError, OSError):
                await self.channel_layer.group_discard(self._group, self.channel_name)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Nothing that a client says changes anything; too much of it ends the socket."""
        self._messages_left -= 1
        if len(text_data or bytes_data or "") > MAX_CLIENT_MESSAGE_CHARS:
            await self.close(TOO_BIG)
        elif self._messages_left < 0:
            await self.close(POLICY)

    def tell(self, text: str) -> None:
        """Replace what the client has not been sent yet."""
        self._newest = text
        self._has_news.set()

    async def _check(self, user: "User | AnonymousUser") -> None:
        if not user.is_authenticated:
            raise RefusedError(SIGN_IN_FIRST)
        try:
            await database_sync_to_async(self.may_listen)(user)
        except Http404:
            raise RefusedError(NOT_FOUND) from None
        except PermissionDenied:
            raise RefusedError(NOT_ALLOWED) from None

    async def _deliver(self) -> None:
        """Send one message at a time: a full connection makes this wait, and nothing else."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            if self._newest is not None:
                text, self._newest = self._newest, None
                await self.send(text_data=text)

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(self._pulse_seconds)
            try:
                await self._check(await self._user_now())
            except RefusedError as refused:
                await self.close(refused.code)
                return
            except DatabaseError as error:
                # Asked again at the next pulse: an outage ends no socket, and keeps nobody in.
                logger.warning("A socket's right to listen could not be checked: %s", error)
            await self.renew()
            self.tell(self._newest or json.dumps({"type": "heartbeat"}))

    async def _user_now(self) -> "User | AnonymousUser":
        """Who the session belongs to by now: signing out or a new password ends it."""
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(self.scope["session"].session_key)
        return cast("User | AnonymousUser", await get_user({"session": session}))
