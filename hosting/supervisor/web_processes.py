"""The web processes of an instance: each with a socket of its own, on one address."""

import os
import socket
from collections.abc import Mapping, Sequence

from hosting.supervisor.programs import Program, WebProcess, web


class WebProcesses:
    """Names, sockets and signs of readiness; they outlive the processes, which come and go."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        self._listeners = listeners
        self._pipes = [os.pipe() for _ in listeners]
        for reading, _ in self._pipes:
            os.set_blocking(reading, False)

    @property
    def names(self) -> list[str]:
        """Logs and console know a single one as `web`."""
        if len(self._listeners) == 1:
            return ["web"]
        return [f"web-{number}" for number, _ in enumerate(self._listeners, 1)]

    def programs(self, server: str, environment: Mapping[str, str]) -> list[Program]:
        descriptors = [listener.fileno() for listener in self._listeners]
        return [
            web(
                WebProcess(
                    name,
                    listener=own,
                    neighbours=[one for one in descriptors if one != own],
                    readiness=writing,
                ),
                server,
                environment,
            )
            for name, own, (_, writing) in zip(self.names, descriptors, self._pipes, strict=True)
        ]

    def is_ready(self, name: str) -> bool:
        """Whether that process has said that it accepts connections, since this was last asked."""
        reading, _ = self._pipes[self.names.index(name)]
        try:
            return bool(os.read(reading, 1024))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Nobody is let in any more; may be called twice."""
        for listener in self._listeners:
            listener.close()
        for pipe in self._pipes:
            for descriptor in pipe:
                os.close(descriptor)
        self._pipes = []
