"""An embedded Valkey (or Redis): durable enough that an acknowledged hit survives a crash."""

import signal
import socket
from pathlib import Path

from hosting.engines.binaries import valkey_server
from hosting.engines.engine import Engine
from hosting.engines.errors import InstanceError
from hosting.engines.folder import write_private
from hosting.engines.processes import end, find_ours


class Valkey(Engine):
    name = "valkey"
    stop_signals = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 10.0))

    def __init__(self, folder: Path, log: Path, *, password: str, durable: bool) -> None:
        super().__init__(folder, log)
        self.program = valkey_server()
        self.password = password
        self.durable = durable

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def config(self) -> Path:
        return self.folder / "valkey.conf"

    @property
    def pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._end_leftover()
        write_private(self.config, self._settings())

    def command(self) -> list[str]:
        return [str(self.program), str(self.config)]

    def is_ready(self) -> bool:
        """Whether it answers a PING: a server that still loads its log answers -LOADING."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    received = connection.recv(256)
                    if not received:
                        return False
                    answer += received
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def _settings(self) -> str:
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                f"dir {_quoted(self.folder)}",
                f"pidfile {_quoted(self.pid_file)}",
                # Its command line must go on naming our folder: that is how it is recognised.
                "set-proc-title no",
                "daemonize no",
                "loglevel warning",
                "appendonly yes",
                # Hits and queued jobs are acknowledged only once they are on the disk.
                f"appendfsync {'always' if self.durable else 'no'}",
                'save ""',
                # Losing a hit silently is worse than refusing one, which the journal keeps.
                "maxmemory-policy noeviction",
                "",
            ]
        )

    def _end_leftover(self) -> None:
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return
        leftover = find_ours(pid, self.program.name, str(self.config))
        if leftover is not None and not end(leftover, self.stop_signals):
            raise InstanceError(
                f"An earlier Valkey (process {pid}) on {self.folder} won't end. "
                "End it by hand, then start again."
            )


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
