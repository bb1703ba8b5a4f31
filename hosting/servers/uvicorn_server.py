"""uvicorn, on sockets that it is given, with Longwave's limits."""

import asyncio
import logging
import socket

import uvicorn

from api.live.event_stream import end_streams
from apps.core import interpreter
from apps.core.vitals import Reporter
from apps.downloads import hits
from apps.downloads.spooled import spooled_bytes
from hosting.servers.entrance import Entrance
from hosting.servers.limits import GRACE_SECONDS, MAX_SOCKET_MESSAGE
from hosting.servers.loop_lag import watch_lag
from hosting.servers.uvicorn_protocol import MediaProtocol
from hosting.supervisor.listener import BACKLOG


def run(application: str, entrance: Entrance) -> None:
    """Serve until told to stop; `application` is the path of an import, as uvicorn has it."""
    # Django's settings say how to log; a line for each request is a proxy's task.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        application,
        backlog=BACKLOG,
        loop="uvloop",
        http=MediaProtocol,
        ws="websockets-sansio",
        ws_max_size=MAX_SOCKET_MESSAGE,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Which proxies are believed is LONGWAVE_TRUSTED_PROXIES' decision, made in the application.
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    UvicornServer(config, entrance).run(sockets=[entrance.own])


class UvicornServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, entrance: Entrance) -> None:
        super().__init__(config)
        self._entrance = entrance
        self._tasks: list[asyncio.Task[None]] = []
        self._reporter = Reporter("web", has_loop=True, spooled=spooled_bytes)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tasks = [
            asyncio.create_task(self._entrance.help_neighbours(self._admit)),
            asyncio.create_task(watch_lag()),
        ]
        interpreter.prepare()
        self._reporter.start()
        self._entrance.announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._tasks:
            task.cancel()
        await end_streams()
        await super().shutdown(sockets)
        # Here, since uvicorn ends the process by the signal that it was sent: nothing runs at exit.
        await asyncio.to_thread(hits.close)
        await asyncio.to_thread(self._reporter.close)

    async def _admit(self, connection: socket.socket) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: MediaProtocol(self.config, self.server_state, self.lifespan.state), connection
        )
