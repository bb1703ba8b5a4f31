"""The load generator's sockets: how many, taking in how much, in which pieces."""

import contextlib
import resource
import socket
import struct

from bench.load.job import Job

# struct tcp_info of linux/tcp.h: eight bytes of flags, then 32-bit numbers, of which the fourth
# is tcpi_rcv_mss.
_RECEIVED_SEGMENT = struct.Struct("=8x3II")


def new_socket(job: Job) -> socket.socket:
    """Not connected yet: both limits are announced with the first packet, or never."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    if job.max_segment_bytes:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, job.max_segment_bytes)
    if job.receive_buffer_bytes:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, job.receive_buffer_bytes)
    return made


def received_segment_bytes(connected: socket.socket) -> int:
    """How large the kernel found the segments that came; 0 where it doesn't tell."""
    if not hasattr(socket, "TCP_INFO"):
        return 0
    with contextlib.suppress(OSError, struct.error):
        told = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_SEGMENT.size)
        return int(_RECEIVED_SEGMENT.unpack(told)[-1])
    return 0


def allow_many() -> None:
    """As many open sockets as the system lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
