"""Listening over a response that lasts: server-sent events (HTML standard, 9.2.5)."""

import asyncio
import json
import logging
from abc import ABC
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import lru_cache
from typing import Any, ClassVar
from weakref import WeakSet

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled

from api.base.authentication import BAD_TOKEN_CHALLENGE, CHALLENGE, actor_with, bearer_secret
from api.base.permissions import InsufficientScopeError
from api.base.problems import CONTENT_TYPE, NOTHING_HERE, ProblemError, problem
from api.live.counted import count_guess, count_request, one_more
from apps.accounts.tokens import TokenRefusedError
from apps.live.listening import NOT_ALLOWED, NOT_FOUND, SIGN_IN_FIRST, Listening, RefusedError

logger = logging.getLogger(__name__)

RETRY_MS = 3000
GOODBYE_SECONDS = 2
"""How long the clients that take nothing hold up the end of a process."""
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    # no-transform: a proxy that compresses holds events back until it has enough of them.
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    # At the address of a list, others get the list.
    (b"vary", b"Accept, Authorization, Cookie"),
]
COMMENT = b": still here\n\n"
_REFUSALS = {
    SIGN_IN_FIRST: (401, "not_authenticated"),
    NOT_ALLOWED: (403, "permission_denied"),
    NOT_FOUND: (404, "not_found"),
}

_open: WeakSet["EventStream"] = WeakSet()


class EventStream(Listening, ABC):
    """What has no thread of its own: it waits on the event loop, as long as the client does."""

    # Comments often enough for proxies that close what is silent, many after 30 seconds.
    pulse_seconds: ClassVar[float] = 15.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._is_begun = False
        self._standing = ExitStack()  # counted among the actor's open streams

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """What the client says goes by way of a queue, so that this side can end as well."""
        hearing = asyncio.create_task(self._hear(receive))
        try:
            await super().__call__(scope, self._inbox.get, send)
        except (RedisError, OSError, DatabaseError):
            if self._is_begun:
                raise
            self.base_send = send
            logger.warning("An event stream could not begin", exc_info=True)
            await self._answer(503, "unavailable", "This is not available at the moment.")
        finally:
            self._standing.close()
            hearing.cancel()
            _open.discard(self)

    async def _hear(self, receive: Any) -> None:
        """A request's body says nothing, and none of it is kept."""
        message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await receive()
            if not message.get("more_body"):
                self._inbox.put_nowait({"type": message["type"]})

    async def http_request(self, message: dict[str, Any]) -> None:
        """Refuse, or send the current state and go on."""
        method = self.scope["method"]
        if method not in {"GET", "HEAD"}:
            detail = "This address can only be read."
            await self._answer(405, "method_not_allowed", detail, more={"allow": "GET, HEAD"})
            self.end()
            return
        try:
            await self.join()
        except RefusedError as refused:
            await self.refuse(refused)
            return
        except ProblemError as error:
            await self._answer(error.status, error.code, error.detail, errors=error.errors)
            self.end()
            return
        except Throttled as error:
            wait = {"retry-after": str(int(getattr(error, "wait", None) or 1))}
            await self._answer(429, "throttled", str(error.detail), more=wait)
            self.end()
            return
        if method == "HEAD":
            await self._begin(200, _HEADERS)
            await self.send_body(b"", is_last=True)
            self.end()
            return
        first = await self.first_message()
        await self._begin(200, _HEADERS)
        await self.send_body(f"retry: {RETRY_MS}\n\n".encode() + self.first_event(first))
        self.follow()
        _open.add(self)

    async def join(self) -> None:
        """As whoever the bearer token says, else as the session's person.

        Raises RefusedError, Throttled for who asks too often, and ProblemError for too much open.
        """
        secret = bearer_secret(self._authorization())
        if secret is not None:
            try:
                self.scope["user"] = await database_sync_to_async(actor_with)(secret)
            except TokenRefusedError as refused:
                await database_sync_to_async(count_guess)(self.scope)
                raise RefusedError(SIGN_IN_FIRST, refused.detail, refused.code) from None
        actor = self.scope["user"]
        await database_sync_to_async(count_request)(actor, self.scope)
        self._standing.enter_context(one_more(actor))
        await super().join()

    def first_event(self, text: str) -> bytes:
        """What the first message looks like on the line."""
        return event(text)

    def _authorization(self) -> str:
        return self.header(b"authorization")

    def header(self, name: bytes) -> str:
        """Of the request; empty without one."""
        headers = dict(self.scope["headers"])
        value: bytes = headers.get(name, b"")
        return value.decode("latin-1")  # RFC 9110, 5.5

    async def http_disconnect(self, message: dict[str, Any]) -> None:
        """The client went, or this side has ended."""
        raise StopConsumer

    async def write(self, text: str | None) -> None:
        await self.send_body(COMMENT if text is None else event(text))

    async def refuse(self, refused: RefusedError) -> None:
        """A status, or once that is out an event of its own kind as the last one."""
        if not self._is_begun:
            status, code = _REFUSALS[refused.code]
            detail = NOTHING_HERE if status == 404 else refused.detail
            await self._answer(status, refused.name or code, detail)
        else:
            self.fall_silent()
            goodbye = json.dumps({"type": "end", "detail": refused.detail})
            await self.send_body(event(goodbye, kind="end"), is_last=True)
        self.end()

    def end(self) -> None:
        """Finish, as if the client had gone."""
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def say_goodbye(self) -> None:
        """The server stops: the client comes back to another process by itself."""
        self.fall_silent()
        await self.send_body(COMMENT, is_last=True)
        self.end()

    async def _answer(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        body = json.dumps(problem(status, code, detail, errors=errors).data).encode()
        headers = [
            (b"content-type", CONTENT_TYPE.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(body)).encode()),
            *((name.encode(), value.encode()) for name, value in (more or {}).items()),
        ]
        if challenge := self._challenge(status, code):
            headers.append((b"www-authenticate", challenge.encode()))
        await self._begin(status, headers)
        await self.send_body(body, is_last=True)

    def _challenge(self, status: int, code: str) -> str:
        """As the rest of the API has it: RFC 6750, 3.1."""
        if code == "insufficient_scope":
            return InsufficientScopeError(self.token_scope).auth_header
        if status == 401:
            return CHALLENGE if code == "not_authenticated" else BAD_TOKEN_CHALLENGE
        return ""

    async def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._is_begun = True
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def send_body(self, body: bytes, *, is_last: bool = False) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": not is_last})


@lru_cache(maxsize=32)
def event(text: str, kind: str = "") -> bytes:
    """One event; the text is JSON without line breaks. Its id is the message's own number.

    Kept for a while: all who have a board open are sent the same text.
    """
    number = json.loads(text).get("sequence")
    lines = [f"event: {kind}"] if kind else []
    lines += [f"id: {number}"] if number is not None else []
    return "\n".join([*lines, f"data: {text}", "", ""]).encode()


async def end_streams() -> None:
    """Before a process stops: a stream would hold it up until its patience ends."""
    goodbyes = asyncio.gather(*(one.say_goodbye() for one in list(_open)), return_exceptions=True)
    with suppress(TimeoutError):
        await asyncio.wait_for(goodbyes, GOODBYE_SECONDS)
