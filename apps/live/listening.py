"""What a socket and a stream of events have in common: who may listen, what comes, until when."""

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, ClassVar

from channels.auth import get_user
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404
from redis.exceptions import RedisError

from apps.accounts.actors import Actor, TokenActor, has_scope
from apps.accounts.bearers import actor_again
from apps.accounts.rechecks import groups_of
from apps.accounts.scopes import Scope
from apps.accounts.tokens import TokenRefusedError
from apps.core.vitals import tally
from apps.live.gathering import Gathering

logger = logging.getLogger(__name__)

# Close codes: 4000-4999 are for applications (RFC 6455, 7.4.2); these mirror HTTP's.
SIGN_IN_FIRST = 4401
NOT_ALLOWED = 4403
NOT_FOUND = 4404

# Many of them every second, and none of them touches the database: see `dispatch`.
_LIGHT_EVENTS = {"audio.progress"}

# Of a pulse: so long the checks of several wait for each other. A thread's turn and a connection of
# the pool cost as much as a check.
_GATHERING_SHARE = 0.04
_CHECKS_AT_ONCE = 10  # or requests would wait for the thread


class RefusedError(Exception):
    """The actor may not listen here; ``code`` is what a socket is closed with.

    ``name`` is the API's code, where it says more than that number.
    """

    def __init__(self, code: int, detail: str, name: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.name = name


async def _check_all(checks: Sequence[Callable[[], None]]) -> list[Exception | None]:
    answers: list[Exception | None] = await database_sync_to_async(_run_all)(checks)
    return answers


def _run_all(checks: Sequence[Callable[[], None]]) -> list[Exception | None]:
    """What each raised; without the database they don't wait for it one after the other."""
    away: DatabaseError | None = None
    answers: list[Exception | None] = []
    for check in checks:
        try:
            if away is None:
                check()
            answers.append(away)
        except DatabaseError as error:
            away = error
            answers.append(error)
        except Exception as error:
            answers.append(error)
    return answers


_checks: Gathering[Callable[[], None], None] = Gathering(_check_all, most=_CHECKS_AT_ONCE)


class Listening(AsyncConsumer, ABC):  # type: ignore[misc]  # Channels has no types
    """One open page or script: its current state at once, then whatever comes to its group.

    Only the newest message waits for a slow client, so that it can't fill the memory. Whether the
    actor may (still) listen is asked at the beginning, at each pulse, and when somebody says
    ``recheck`` to them.
    """

    pulse_seconds: ClassVar[float] = 25.0
    token_scope: Scope = Scope.STATS  # what a token needs to listen here

    def __init__(self, *, pulse_seconds: float | None = None) -> None:
        super().__init__()
        self._pulse_seconds = pulse_seconds or self.pulse_seconds
        self._groups: list[str] = []
        self._newest: str | None = None
        self._has_news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @abstractmethod
    def own_groups(self) -> list[str]:
        """The channel layer's groups that this address listens to by itself."""

    @abstractmethod
    def may_listen(self, actor: Actor) -> None:
        """Raise Http404 or PermissionDenied unless this actor, somebody known, may listen."""

    @abstractmethod
    async def first_message(self) -> str:
        """What a page needs to begin with."""

    @abstractmethod
    async def write(self, text: str | None) -> None:
        """Send this to the client, or a sign of life; returns when there is room for more.

        Raises OSError when the client is gone.
        """

    @abstractmethod
    async def refuse(self, refused: RefusedError) -> None:
        """Tell the client why, and end."""

    async def renew(self) -> None:
        """Called when somebody begins to listen and at each pulse."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """However it ends, nothing of it stays behind: a handler or Valkey may have failed."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels looks for old connections to the database first, which costs a thread."""
        if message["type"] in _LIGHT_EVENTS:
            await getattr(self, message["type"].replace(".", "_"))(message)
        else:
            await super().dispatch(message)

    async def join(self) -> None:
        """Enter the groups, and check; raises RefusedError."""
        actor = self.scope["user"]
        # Each group before what is asked next: what changes meanwhile is heard there.
        if actor.is_authenticated:
            for group in groups_of(actor):
                await self._enter(group)
        await database_sync_to_async(self._check)(actor)
        for group in self.own_groups():
            await self._enter(group)
        await self.renew()

    async def _enter(self, group: str) -> None:
        self._groups.append(group)
        await self.channel_layer.group_add(group, self.channel_name)

    def follow(self) -> None:
        """From now on the client hears what comes."""
        tally.sockets += 1
        self._tasks = [asyncio.create_task(self._deliver()), asyncio.create_task(self._pulse())]

    def fall_silent(self) -> None:
        """Send nothing more of what comes."""
        tasks, self._tasks = self._tasks, []
        if tasks:
            tally.sockets -= 1
        for task in tasks:
            if task is not asyncio.current_task():  # the pulse that says goodbye
                task.cancel()

    async def leave(self) -> None:
        """Hear nothing more, and send nothing."""
        self.fall_silent()
        with suppress(RedisError, OSError):
            while self._groups:
                await self.channel_layer.group_discard(self._groups.pop(), self.channel_name)

    def tell(self, text: str) -> None:
        """Replace what the client has not been sent yet."""
        self._newest = text
        self.wake()

    def wake(self) -> None:
        """Have :meth:`flush` called, as soon as the client has taken what it was sent before."""
        self._has_news.set()

    async def flush(self) -> None:
        """Send what waits, or a sign of life."""
        text, self._newest = self._newest, None
        await self.write(text)

    async def recheck(self, event: dict[str, Any]) -> None:
        """From one of the actor's groups: what they may see has changed."""
        await self._check_again()

    async def _check_again(self, *, within_seconds: float = 0.0) -> bool:
        """Whether they may still listen; else they have been told."""
        try:
            if within_seconds:
                await _checks.ask(self._check_now, within_seconds=within_seconds)
            else:
                await database_sync_to_async(self._check_now)()
        except RefusedError as refused:
            await self.refuse(refused)
            return False
        except DatabaseError as error:
            # Asked again at the next pulse: an outage ends no socket, and keeps nobody in.
            logger.warning("A right to listen could not be checked: %s", error)
        return True

    def _check_now(self) -> None:
        """All in one thread and one go."""
        self._check(self._actor_now())

    def _actor_now(self) -> Actor:
        """Who it is by now: signing out, a new password and a token's revocation end it."""
        actor = self.scope["user"]
        if isinstance(actor, TokenActor):
            try:
                return actor_again(actor)
            except TokenRefusedError as refused:
                raise RefusedError(SIGN_IN_FIRST, refused.detail, refused.code) from None
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(self.scope["session"].session_key)
        user: Actor = get_user.func({"session": session})
        return user

    def _check(self, actor: Actor) -> None:
        if not actor.is_authenticated:
            raise RefusedError(SIGN_IN_FIRST, "Sign in first.")
        if not has_scope(actor, self.token_scope):
            detail = f"This needs a token with the scope “{self.token_scope.value}”."
            raise RefusedError(NOT_ALLOWED, detail, "insufficient_scope")
        try:
            self.may_listen(actor)
        except Http404 as error:
            raise RefusedError(NOT_FOUND, str(error)) from None
        except PermissionDenied as error:
            raise RefusedError(NOT_ALLOWED, str(error)) from None

    async def _deliver(self) -> None:
        """Send one message at a time: a full connection makes this wait, and nothing else."""
        with suppress(OSError):
            while True:
                await self._has_news.wait()
                self._has_news.clear()
                await self.flush()

    async def _pulse(self) -> None:
        while True:
            # Those who came together, after a restart for instance, don't all ask at once.
            gathering = self._pulse_seconds * _GATHERING_SHARE
            pause = self._pulse_seconds * random.uniform(0.6, 1.0) - gathering  # noqa: S311
            await asyncio.sleep(pause)
            if not await self._check_again(within_seconds=gathering):
                return
            await self.renew()
            self.wake()
