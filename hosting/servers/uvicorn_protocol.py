"""uvicorn's HTTP/1.1 with what media needs: files sent by the kernel, and no silent end."""

import asyncio
import socket
from collections.abc import MutableMapping
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from hosting.servers.file_sending import send_file
from hosting.servers.limits import NOT_SENT_BYTES, SEND_TIMEOUT_SECONDS

ZERO_COPY = "http.response.zerocopysend"

# From 2.4 on, `send` tells an application that its client is gone by raising OSError.
_ASGI = {"version": "3.0", "spec_version": "2.4"}


class ClientGoneError(ConnectionError):
    """The client left, or takes nothing any more."""


class MediaProtocol(HttpToolsProtocol):
    """One connection; also the `Line` that files are sent on."""

    cycle: "MediaCycle"
    _descriptor: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        # "Paused" then means that something waits in this process: only when nothing does may
        # sendfile go around the transport, and what was handed over has really left.
        self.transport.set_write_buffer_limits(high=0)
        connection = self.transport.get_extra_info("socket")
        if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT_BYTES)
            if self.scheme == "http":
                self._descriptor = connection.fileno()
        self._extensions: dict[str, Any] = {} if self._descriptor is None else {ZERO_COPY: {}}

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


class MediaCycle(RequestResponseCycle):
    """One request; what `send` returned from is in the kernel's hands."""

    line: MediaProtocol

    async def send(self, message: Any) -> None:
        if self.disconnected:
            raise ClientGoneError("the client left")
        if message["type"] == ZERO_COPY:
            await self._send_file(message)
        else:
            await super().send(message)
        if self.flow.write_paused and not self.response_complete:
            await self.line.drain()

    async def _send_file(self, message: MutableMapping[str, Any]) -> None:
        count: int = message["count"]
        if not self.response_started or self.response_complete or self.chunked_encoding:
            raise RuntimeError("A file can't be sent here: the response has no Content-Length")
        if count > self.expected_content_length:
            raise RuntimeError("The file is longer than Content-Length")
        self.expected_content_length -= count
        await send_file(self.line, message["file"], message["offset"], count, message["progress"])
        if not message.get("more_body", False):
            await super().send({"type": "http.response.body", "body": b"", "more_body": False})
