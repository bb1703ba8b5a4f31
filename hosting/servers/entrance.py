"""Where a web process lets visitors in: its own socket, and those of the processes beside it."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

_LOOK_SECONDS = 0.25

type Admit = Callable[[socket.socket], Awaitable[object]]


@dataclass(frozen=True)
class Entrance:
    """Listening sockets, and a descriptor on which somebody waits to hear that all is ready."""

    own: socket.socket
    neighbours: Sequence[socket.socket] = ()
    ready_descriptor: int | None = None

    def announce(self) -> None:
        """Say that connections are accepted from now on."""
        if self.ready_descriptor is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self.ready_descriptor, b"\n")

    async def help_neighbours(self, admit: Admit) -> None:
        """Let in, for ever, who waits at a neighbour's socket: the neighbour is dead or busy.

        The system gives each new connection to one process's socket and leaves it there; while
        that process is replaced, nobody else would take it. A healthy process accepts at once, so
        that looking now and then takes next to nothing from it.
        """
        for neighbour in self.neighbours:
            neighbour.setblocking(False)
        while self.neighbours:
            await asyncio.sleep(_LOOK_SECONDS)
            for neighbour in self.neighbours:
                await _admit_waiting(neighbour, admit)


async def _admit_waiting(listener: socket.socket, admit: Admit) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # nobody waits, who waited left, or there are no descriptors left
            return
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await admit(connection)
        except OSError:  # it left meanwhile
            connection.close()
