"""uvicorn's HTTP/1.1 with what media needs: files sent by the kernel, and no silent end."""

import asyncio
import socket
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from apps.media.serving import SHARED_FIELDS, ZERO_COPY
from hosting.servers.client_gone import ClientGoneError
from hosting.servers.file_sending import send_file
from hosting.servers.limits import IDLE_SECONDS, NOT_SENT_BYTES, SEND_TIMEOUT_SECONDS

# From 2.4 on, `send` tells an application that its client is gone by raising OSError.
_ASGI = {"version": "3.0", "spec_version": "2.4"}

type Field = tuple[bytes, bytes]


class MediaProtocol(HttpToolsProtocol):
    """One connection; also the `Line` that files are sent on."""

    cycle: "MediaCycle"
    _socket: socket.socket | None = None  # only to set options: the transport owns the descriptor
    _descriptor: int | None = None
    _idle_timer: asyncio.TimerHandle | None = None
    _active_at = 0.0
    _is_corked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        # "Paused" then means that something waits in this process: only when nothing does may
        # sendfile go around the transport, and what was handed over has really left.
        self.transport.set_write_buffer_limits(high=0)
        info = self.transport.get_extra_info("socket")
        if info is not None and info.family in {socket.AF_INET, socket.AF_INET6}:
            info.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT_BYTES)
            if self.scheme == "http":
                self._descriptor = info.fileno()
                self._socket = socket.socket(info.family, info.type, fileno=self._descriptor)
        self._extensions: dict[str, Any] = {} if self._descriptor is None else {ZERO_COPY: {}}
        self._active_at = self.loop.time()
        self._idle_timer = self.loop.call_later(IDLE_SECONDS, self._close_when_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._let_go()
        super().handle_websocket_upgrade()

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.detach()
            self._socket = self._descriptor = None
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def _close_when_idle(self) -> None:
        """One timer for the connection, where the base class makes one for each request."""
        left = self._active_at + IDLE_SECONDS - self.loop.time()
        if self.cycle is not None and not self.cycle.response_complete:
            left = IDLE_SECONDS
        if left <= 0:
            self.transport.close()
        else:
            self._idle_timer = self.loop.call_later(left, self._close_when_idle)

    def _unset_keepalive_if_required(self) -> None:
        """There is no timer of a request."""

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._active_at = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            # Later: a hundred of them would be a hundred calls deep, and nobody else's turn.
            super()._start_asgi_task(cycle, app)

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self.scope = cast(
            "Any",
            {
                "type": "http",
                "asgi": _ASGI,
                "http_version": "1.1",
                "server": self.server,
                "client": self.client,
                "scheme": self.scheme,
                "root_path": self.root_path,
                "headers": self.headers,
                "extensions": self._extensions,
                "state": self.app_state.copy(),
            },
        )

    def on_headers_complete(self) -> None:
        """As the base class does it, but for the class of the cycle."""
        scope = cast("MutableMapping[str, Any]", self.scope)
        http_version = self.parser.get_http_version()
        scope["method"] = self.parser.get_method().decode("ascii")
        if http_version != "1.1":
            scope["http_version"] = http_version
        if self.parser.should_upgrade() and self._should_upgrade():
            return
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + url.path
        scope["query_string"] = url.query or b""
        before = self.cycle
        self.cycle = MediaCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=http_version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self.cycle.line = self
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:  # a pipelined request waits for its turn
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """At once: what needs not wait for anything is answered before the loop goes round."""
        task = asyncio.Task(cycle.run_asgi(app), loop=self.loop, eager_start=True)
        if not task.done():
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def fileno(self) -> int:
        if self._descriptor is None or self.transport.is_closing():
            raise ClientGoneError("the connection is closed")
        return self._descriptor

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def is_drained(self) -> bool:
        return not self.flow.write_paused

    async def drain(self) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self.flow.drain()
        except TimeoutError as error:
            self.transport.abort()
            raise ClientGoneError("the client takes nothing any more") from error
        if self.transport.is_closing():
            raise ClientGoneError("the client left")

    def cork(self, is_on: bool) -> None:
        """Whether the kernel waits for full segments: headers, body and last byte go together."""
        if self._socket is not None and is_on is not self._is_corked:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, is_on)
            self._is_corked = is_on


class MediaCycle(RequestResponseCycle):
    """One request; what `send` returned from is in the kernel's hands."""

    line: MediaProtocol

    async def send(self, message: Any) -> None:
        if self.disconnected:
            raise ClientGoneError("the client left")
        if message["type"] == ZERO_COPY:
            self._begin_file(message["count"])
            if self.scope["method"] != "HEAD":
                await send_file(self.line, message)
            if not message.get("more_body", False):
                self._complete()
        elif SHARED_FIELDS in message:
            self._start(message["status"], message["headers"], message[SHARED_FIELDS])
        else:
            await super().send(message)
            if self.response_complete:
                self.line.cork(False)
        if self.flow.write_paused and not self.response_complete:
            await self.line.drain()

    def _start(self, status: int, fields: Sequence[Field], shared: tuple[Field, ...]) -> None:
        """As the base class does it, for a response with a Content-Length.

        It reads each name and value twice; here, fields that were found good are known.
        """
        if self.response_started:
            raise RuntimeError("The response has started already")
        self.response_started = True
        self.waiting_for_100_continue = False
        self.chunked_encoding = False
        lines = [STATUS_LINE[status], _lines(tuple(self.default_headers)), _lines(shared)]
        for name, value in fields[len(shared) :]:
            if name == b"content-length":
                self.expected_content_length = int(value)
            lines.append(_line(name, value))
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        self.line.cork(True)
        self.transport.write(b"".join(lines))

    def _begin_file(self, count: int) -> None:
        if not self.response_started or self.response_complete or self.chunked_encoding:
            raise RuntimeError("A file can't be sent here: the response has no Content-Length")
        if count > self.expected_content_length:
            raise RuntimeError("The file is longer than Content-Length")
        self.expected_content_length -= count

    def _complete(self) -> None:
        if self.expected_content_length:
            raise RuntimeError("The response is shorter than Content-Length")
        self.line.cork(False)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


@lru_cache(maxsize=4096)
def _lines(fields: tuple[Field, ...]) -> bytes:
    return b"".join([_line(name, value) for name, value in fields])


def _line(name: bytes, value: bytes) -> bytes:
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError(f"Not a header field: {name!r}")
    return b"%b: %b\r\n" % (name, value)
