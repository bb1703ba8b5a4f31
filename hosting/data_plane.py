"""The trimmed ASGI handler of feeds, media, pictures and upload parts: see docs/adr/0003."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestAborted, SuspiciousOperation
from django.core.handlers.asgi import ASGIHandler
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_resolver

from apps.core.streamed import Receive, Scope, StreamedRequest
from apps.core.vitals import tally
from apps.media.serving import ARRIVAL, ZERO_COPY, MediaResponse
from apps.media.sources import CHUNK_BYTES

logger = logging.getLogger("django.request")

type Send = Callable[[Mapping[str, Any]], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIXES = ("/media/", "/feeds/", "/art/", "/chapters/", "/uploads/")


class DataPlane(ASGIHandler):
    """Django's requests, URLs and responses without middleware, signals or a thread a request.

    `otherwise` answers what is not under PREFIXES.
    """

    request_class = StreamedRequest
    chunk_size = CHUNK_BYTES  # sources bound their chunks: cutting them again would copy them

    def __init__(self, otherwise: Application | None = None, urlconf: str | None = None) -> None:
        super().__init__()
        self._otherwise = otherwise
        # The same episodes are asked for all the time.
        resolver = get_resolver(urlconf or settings.DATA_URLCONF)
        self._resolve = lru_cache(maxsize=4096)(resolver.resolve)

    def load_middleware(self, is_async: bool = False) -> None:
        """There is none: one sync middleware would cost every request a thread."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._otherwise is not None and not scope["path"].startswith(PREFIXES):
            await self._otherwise(scope, receive, send)
            return
        request = StreamedRequest(scope)
        request.receive = receive
        try:
            if request.method == "PUT" or _tells_of_leaving(scope):
                await self._answer(request, send)
            else:
                await self._answer_while_listening(request, send)
        except RequestAborted:
            return  # in the middle of a response: the server breaks the connection

    async def _answer_while_listening(self, request: StreamedRequest, send: Send) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                listener = group.create_task(_wait_for_disconnect(request.receive))
                await self._answer(request, send)
                listener.cancel()
        except* RequestAborted as gone:
            raise RequestAborted from gone

    async def _answer(self, request: StreamedRequest, send: Send) -> None:
        response = await self._respond(request)
        tally.responses += 1
        if response.status_code >= 500:
            tally.errors += 1
        if not isinstance(response, MediaResponse):
            try:
                await self.send_response(_completed(response), send)
            except OSError as error:
                raise RequestAborted from error
            return
        tally.media += 1
        try:
            extensions = request.scope.get("extensions") or {}
            await response.transmit(
                send,
                is_kernel_sending=ZERO_COPY in extensions,
                arrival=extensions.get(ARRIVAL),
            )
        finally:
            tally.media -= 1
            await response.aclose()

    async def _respond(self, request: StreamedRequest) -> HttpResponseBase:
        try:
            match = self._resolve(request.path_info)
            request.resolver_match = match
            response: HttpResponseBase = await match.func(request, *match.args, **match.kwargs)
        except RequestAborted:
            raise
        except Exception as error:
            return _error_response(request, error)
        return response


def _tells_of_leaving(scope: Scope) -> bool:
    """Whether `send` raises when the client is gone; else somebody must listen for it."""
    version: str = scope.get("asgi", {}).get("spec_version", "2.0")
    return version >= "2.4"


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # a body that nobody asked for
    raise RequestAborted


def _error_response(request: StreamedRequest, error: Exception) -> HttpResponse:
    match error:
        case Http404():  # Resolver404 is one
            return _plain(404, "There is nothing at this address.")
        case PermissionDenied():
            return _plain(403, "You may not have this.")
        case SuspiciousOperation():
            return _plain(400, "The request makes no sense.")
        case DatabaseError() | InterfaceError():
            logger.error("The database is away: %s %s", request.method, request.path)
            response = _plain(503, "This is not available at the moment. Please try again.")
            response.headers["Retry-After"] = "10"
            return response
    logger.error("Internal error: %s %s", request.method, request.path, exc_info=error)
    return _plain(500, "Something went wrong on our side.")


def _plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(
        f"{text}\n",
        status=status,
        content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"},
    )


def _completed(response: HttpResponseBase) -> HttpResponseBase:
    """What middleware does elsewhere: without a length, the connection can't be kept."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if isinstance(response, HttpResponse) and response.status_code not in {204, 304}:
        response.headers.setdefault("Content-Length", str(len(response.content)))
    return response
