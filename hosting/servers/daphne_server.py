"""Daphne, made fit for media: it waits for slow clients, sends files, and breaks what is broken."""

import asyncio
import importlib
import logging
import socket
from collections.abc import Iterable
from typing import Any

import daphne.server  # first of all: it installs the reactor that Twisted then uses
from daphne.endpoints import build_endpoint_description_strings
from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.tcp import Port

from api.live.event_stream import end_streams
from apps.core import interpreter
from apps.core.vitals import Reporter
from apps.downloads import hits
from apps.downloads.spooled import spooled_bytes
from hosting.servers.daphne_exchange import ZERO_COPY, Application, Exchange
from hosting.servers.daphne_request import BoundedFactory
from hosting.servers.entrance import Entrance
from hosting.servers.limits import GRACE_SECONDS, MAX_SOCKET_MESSAGE
from hosting.servers.loop_lag import watch_lag

logger = logging.getLogger(__name__)
reactor: Any = _reactor

# From 2.4 on, `send` tells an application that its client is gone by raising OSError.
_ASGI = {"version": "3.0", "spec_version": "2.4"}
_SERVICE_RESTART = 1012  # of WebSockets: come back in a moment
_BODY_PIECE_BYTES = 256 * 1024


def run(application: str, entrance: Entrance) -> None:
    """Serve until told to stop; `application` is `module:name`."""
    module, _, name = application.partition(":")
    server = MediaServer(
        getattr(importlib.import_module(module), name),
        entrance=entrance,
        server_name="",
        verbosity=0,
        websocket_max_message_size=MAX_SOCKET_MESSAGE,
        websocket_max_frame_size=MAX_SOCKET_MESSAGE,
    )
    server.run()


class MediaServer(daphne.server.Server):  # type: ignore[misc]  # Daphne has no types
    """Takes what Daphne's takes, so that ``runserver`` can have it; or an entrance of ours."""

    def __init__(
        self, application: Application, *, entrance: Entrance | None = None, **options: Any
    ) -> None:
        options.setdefault("request_buffer_size", _BODY_PIECE_BYTES)
        if entrance is not None:
            options["endpoints"] = build_endpoint_description_strings(
                file_descriptor=entrance.own.fileno()
            )
            options["ready_callable"] = self._open
        super().__init__(application, **options)
        if entrance is not None:
            self.endpoints: list[
                str
            ] = []  # opened in `_open`: Daphne takes any descriptor for IPv4's
        self._entrance = entrance
        self._tasks: list[asyncio.Task[None]] = []
        self._reporter = Reporter("web", has_loop=True, spooled=spooled_bytes)

    def create_application(
        self, protocol: WebRequest | WebSocketProtocol, scope: dict[str, Any]
    ) -> Any:
        """Returns the queue from which the application receives."""
        scope["asgi"] = _ASGI
        if not isinstance(protocol, WebRequest):
            return super().create_application(protocol, scope)
        if protocol.channel is None or protocol not in self.connections:
            return None  # it left before it was answered
        scope["extensions"] = {} if protocol.isSecure() else {ZERO_COPY: {}}
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(
            Exchange(protocol).run(self.application, scope, queue.get)
        )
        return queue

    def kill_all_applications(self) -> Deferred[None]:
        """Called before the reactor stops; it waits for what this returns."""
        return Deferred.fromFuture(asyncio.ensure_future(self._close()))

    async def _close(self) -> None:
        """Let nobody in, let answers end for a while, then cancel what is left."""
        for task in self._tasks:
            task.cancel()
        for listener in self.listeners:
            listener.addCallback(Port.stopListening)
        for protocol in list(self.connections):
            if isinstance(protocol, WebSocketProtocol):
                _send_away(protocol)
        await end_streams()
        if running := set(self._running()):
            _, running = await asyncio.wait(running, timeout=GRACE_SECONDS)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.to_thread(hits.close)
        if self._entrance is not None:
            await asyncio.to_thread(self._reporter.close)

    def _running(self) -> Iterable[asyncio.Task[None]]:
        for details in self.connections.values():
            task = details.get("application_instance")
            if task is not None and not task.done():
                yield task

    def _open(self) -> None:
        """Called when all is made, before the reactor runs."""
        self.http_factory = BoundedFactory(self)
        reactor.callWhenRunning(self._let_in)

    def _let_in(self) -> None:
        if self._entrance is None:
            return
        own = self._entrance.own
        own.setblocking(False)
        port = reactor.adoptStreamPort(own.fileno(), own.family, self.http_factory)
        self.listeners.append(succeed(port))
        self._tasks = [
            asyncio.ensure_future(self._entrance.help_neighbours(self._admit)),
            asyncio.ensure_future(watch_lag()),
        ]
        interpreter.prepare()
        self._reporter.start()
        self._entrance.announce()

    async def _admit(self, connection: socket.socket) -> None:
        with connection:  # Twisted takes a duplicate
            reactor.adoptStreamConnection(connection.fileno(), connection.family, self.http_factory)


def _send_away(protocol: WebSocketProtocol) -> None:
    if protocol.state == WebSocketProtocol.STATE_OPEN:
        protocol.sendCloseFrame(code=_SERVICE_RESTART)
    elif protocol.state == WebSocketProtocol.STATE_CONNECTING:
        protocol.serverReject()
