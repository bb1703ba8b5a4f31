"""What a TCP socket has taken from its process and not yet delivered."""

import fcntl
import sys
import termios


def undelivered_bytes(descriptor: int) -> int:
    """How many bytes written to a socket its peer has not acknowledged; 0 where nobody can tell.

    Linux answers for a connection that was reset as well: tcp(7), SIOCOUTQ.
    """
    size = bytearray(4)
    try:
        fcntl.ioctl(descriptor, termios.TIOCOUTQ, size)  # SIOCOUTQ by another name
    except OSError:
        return 0
    return int.from_bytes(size, sys.byteorder)
