"""The socket that visitors connect to: opened once, handed to every web process after another.

While a web process is replaced, connections wait in the socket's queue and none is refused.
"""

import errno
import socket

from hosting.engines.errors import InstanceError


def listen(host: str, port: int) -> socket.socket:
    """Raises InstanceError when somebody else has the port."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise InstanceError(f"{host} is no address of this machine: {error.strerror}") from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise InstanceError(_refusal(host, port, error)) from error
    return listener


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use. Choose another one: make run PORT={port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for root. Choose one above 1023."
    return f"Cannot listen on {host} port {port}: {error.strerror}"
