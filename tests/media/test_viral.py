"""Two hundred slow listeners of one file on one web process: others are answered at once."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from tests.media.served import content
from tests.media.servers import WebServer

LISTENERS = 200
RANGES = 40
RANGE_BYTES = 64 * 1024
# A quiet machine needs one or two thousandths: these are for one with much else to do.
MEDIAN_SECONDS, LONGEST_SECONDS = 0.25, 3.0


def test_slow_listeners_of_one_show_hold_up_nobody_else(web: WebServer) -> None:
    (web.folder / "large").write_bytes(bytes(64 * 1024 * 1024))
    took: list[float] = []
    with _slow_listeners(web) as received:
        connection = web.connect()
        for number in range(RANGES):
            start = number * 1000
            headers = {"Range": f"bytes={start}-{start + RANGE_BYTES - 1}"}
            began = time.monotonic()
            connection.request("GET", "/plain.mp3", headers=headers)
            response = connection.getresponse()
            body = response.read()
            took.append(time.monotonic() - began)
            assert (response.status, body) == (206, content()[start : start + RANGE_BYTES])
        connection.close()

    assert all(received)
    assert median(took) < MEDIAN_SECONDS
    assert max(took) < LONGEST_SECONDS


@contextmanager
def _slow_listeners(web: WebServer) -> Iterator[list[int]]:
    """Each takes 4 KiB ten times a second; how many bytes each has got."""
    received = [0] * LISTENERS
    stop = threading.Event()
    with ExitStack() as stack:
        sockets = [stack.enter_context(_listener(web)) for _ in received]

        def listen() -> None:
            while not stop.wait(0.1):
                for number, client in enumerate(sockets):
                    received[number] += len(client.recv(4096))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield received
        finally:
            # At least one round, however quickly the others were answered.
            deadline = time.monotonic() + 30
            while not all(received) and thread.is_alive() and time.monotonic() < deadline:
                time.sleep(0.01)
            stop.set()
            thread.join(60)


def _listener(web: WebServer) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    client.settimeout(30)
    client.connect(("127.0.0.1", web.port))
    client.sendall(b"GET /large-in-steps.mp3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return client
