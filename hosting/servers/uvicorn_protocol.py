"""uvicorn's HTTP/1.1 with what media needs: files sent by the kernel, and no silent end."""

import asyncio
from collections import deque
from collections.abc import MutableMapping
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from apps.media.serving import ARRIVAL, ZERO_COPY
from hosting.servers.arrival import wait_for_arrival
from hosting.servers.flow import Flag, Flow
from hosting.servers.limits import IDLE_SECONDS, SEND_TIMEOUT_SECONDS
from hosting.servers.uvicorn_cycle import MediaCycle
from hosting.servers.uvicorn_line import SocketLine

# From 2.4 on, `send` tells an application that its client is gone by raising OSError.
_ASGI = {"version": "3.0", "spec_version": "2.4"}
_NO_OPTIONS: dict[str, Any] = {}
_NOBODY: deque[tuple[RequestResponseCycle, Any]] = deque()
"""The pipeline of those who have none, shared: an empty one takes 760 bytes."""


class MediaProtocol(HttpToolsProtocol):
    """One connection.

    At most thirty attributes, those of the base class included: with one more, Python would give
    each connection a dictionary of one and a half kilobytes.
    """

    cycle: MediaCycle
    _line: SocketLine

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self.flow = Flow(self.transport)
        self.pipeline = _NOBODY
        # "Paused" then means that something waits in this process: only when nothing does may
        # sendfile go around the transport, and what was handed over has really left.
        self.transport.set_write_buffer_limits(high=0)
        self._line = SocketLine(self.transport, self.flow, self.loop)
        self.timeout_keep_alive_task = self.loop.call_later(IDLE_SECONDS, self._check_time)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._let_go()
        super().handle_websocket_upgrade()

    def _let_go(self) -> None:
        self._line.let_go()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()

    def _check_time(self) -> None:
        """One timer for the connection, where the base class makes one for each request."""
        now = self.loop.time()
        if self._line.waiting_since is not None:
            left = self._line.waiting_since + SEND_TIMEOUT_SECONDS - now
        elif self.cycle is not None and not self.cycle.response_complete:
            left = IDLE_SECONDS
        else:
            left = self._line.active_at + IDLE_SECONDS - now
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self._check_time)
        elif self._line.waiting_since is None:
            self.transport.close()
        else:
            self.transport.abort()

    def _unset_keepalive_if_required(self) -> None:
        """There is no timer of a request."""

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self._line.active_at = self.loop.time()
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
                "extensions": self._extensions(),
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
            message_event=cast("asyncio.Event", Flag()),
            expect_100_continue=self.expect_100_continue,
            keep_alive=http_version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self.cycle.line = self._line
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:  # a pipelined request waits for its turn
            self.flow.pause_reading()
            if self.pipeline is _NOBODY:
                self.pipeline = deque()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """At once: what needs not wait for anything is answered before the loop goes round."""
        task = asyncio.Task(cycle.run_asgi(app), loop=self.loop, eager_start=True)
        if not task.done():
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _extensions(self) -> dict[str, Any]:
        """What a request may use: only what is not encrypted can be left to the kernel."""
        if not self._line.is_plain_tcp:
            return {}
        return {ZERO_COPY: _NO_OPTIONS, ARRIVAL: partial(wait_for_arrival, self._line)}
