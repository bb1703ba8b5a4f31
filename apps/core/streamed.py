"""A request that costs little: body and headers are read when they are asked for."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, overload

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIRequest
from django.http import QueryDict

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[Mapping[str, Any]]]

_NO_QUERY = QueryDict("")


class Headers(Mapping[str, str]):
    """An ASGI scope's header fields by their names in any case, as `HttpRequest.headers` has them.

    Fields of one name are joined with commas; names with underscores are left out, for they could
    pass for others where underscores and hyphens are the same.
    """

    def __init__(self, fields: list[tuple[bytes, bytes]]) -> None:
        self._fields: dict[str, str] = {}
        for raw_name, raw_value in fields:
            name = raw_name.decode("latin-1")
            value = raw_value.decode("latin-1")
            if name in self._fields:
                value = f"{self._fields[name]},{value}"
            if "_" not in name:
                self._fields[name] = value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get[T](self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        # Mapping's own raises and catches an error for each field that is not there.
        return self._fields.get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class StreamedRequest(ASGIRequest):
    """What views of the data plane get; `body` is empty, `stream_body` is the body.

    ASGIRequest prepares META from all headers at once, for middleware and WSGI's sake. Here it is
    made when somebody asks for it, which on the way of a range of audio nobody does.
    """

    receive: Receive  # set by the handler

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.path_info = self.path
        self.resolver_match = None
        self._read_started = False

    @cached_property
    def _stream(self) -> io.BytesIO:  # type: ignore[override]
        return io.BytesIO()

    @cached_property
    def META(self) -> dict[str, Any]:  # type: ignore[override]  # noqa: N802
        return ASGIRequest(self.scope, self._stream).META

    @cached_property
    def headers(self) -> Headers:  # type: ignore[override]
        return Headers(self.scope["headers"])

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override]  # noqa: N802
        query: bytes = self.scope["query_string"]
        return QueryDict(query.decode(errors="replace")) if query else _NO_QUERY

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
