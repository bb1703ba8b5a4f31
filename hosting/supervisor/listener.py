"""The sockets that visitors connect to: opened once, one for each web process and its successors.

The supervisor keeps them open, so that connections wait in a socket's queue, and none is refused,
while a web process is replaced. See docs/adr/0013 for why each process has a socket of its own.
"""

import errno
import socket

from hosting.engines.errors import InstanceError

BACKLOG = 4096  # as far as the system allows it: net.core.somaxconn


def listen(host: str, port: int) -> socket.socket:
    """Raises InstanceError when somebody else has the port."""
    return listen_together(host, port, 1)[0]


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """Sockets among which the system divides new connections; raises InstanceError like `listen`.

    The first one asks for the port alone, and lets others in only when it has it: sockets that
    share from the start would join those of another Longwave unnoticed.
    """
    first = _open(host, port, count, is_first=True)
    listeners = [first]
    port = first.getsockname()[1]  # zero has become a number
    try:
        while len(listeners) < count:
            listeners += [_open(host, port, count, is_first=False)]
    except InstanceError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _open(host: str, port: int, count: int, *, is_first: bool) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise InstanceError(f"{host} is no address of this machine: {error.strerror}") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not is_first:
            _share(listener)
        listener.bind(address)
        if is_first and count > 1:
            _share(listener)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InstanceError(_refusal(host, port, error)) from error
    return listener


def _share(listener: socket.socket) -> None:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use. Choose another one: make run PORT={port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for root. Choose one above 1023."
    return f"Cannot listen on {host} port {port}: {error.strerror}"
