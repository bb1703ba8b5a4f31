"""What both web servers promise beyond ASGI: slow, leaving, pipelining and broken-off clients."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from apps.media.uploads import part_size_for
from tests.hosting.answers import PIECE, content
from tests.instance import wait_for
from tests.media.servers import WebServer, web_server

MIB = 1024 * 1024
LARGE = 256 * MIB
# What one connection may hold on its way: the kernel's buffers of both ends, and one message.
IN_FLIGHT = 2 * MIB
APPLICATION = "tests.hosting.answers:application"
SERVERS = ["uvicorn", "daphne"]


@pytest.fixture(scope="module", params=SERVERS)
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    with _running(request.param, tmp_path_factory.mktemp(request.param)) as server:
        yield server


@contextmanager
def _running(name: str, folder: Path, **environment: str) -> Iterator[WebServer]:
    with (folder / "content").open("wb") as file:
        for _ in range(LARGE // (16 * MIB)):
            file.write(content(16 * MIB))
    with web_server(name, folder, APPLICATION, first="/small", **environment) as server:
        yield server


def get(web: WebServer, target: str) -> bytes:
    connection = web.connect()
    connection.request("GET", target)
    answer = connection.getresponse()
    assert answer.status == 200
    whole = answer.read()
    connection.close()
    return whole


def counts(web: WebServer) -> dict[str, int]:
    numbers: dict[str, int] = json.loads(get(web, "/counts"))
    return numbers


def counts_at_rest(web: WebServer) -> dict[str, int]:
    """As soon as nothing is under way: what clients of an earlier test left is counted by then."""

    def at_rest() -> dict[str, int] | None:
        numbers = counts(web)
        return numbers if numbers["begun"] == numbers["ended"] + 1 else None  # this one

    return wait_for(at_rest, what="the end of earlier answers")


def taken_when_stuck(web: WebServer) -> int:
    """How much `send` has taken in all, as soon as that stands still."""
    seen: list[int] = []

    def stands_still() -> bool:
        seen.append(counts(web)["taken"])
        return len(seen) >= 5 and len(set(seen[-5:])) == 1

    wait_for(stands_still, what="a standstill")
    return seen[-1]


def ask(web: WebServer, target: str, *, window: int = 16 * 1024) -> socket.socket:
    """A client with a small window that has asked, and reads nothing yet."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    client.settimeout(30)
    client.connect(("127.0.0.1", web.port))
    client.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def read(client: socket.socket, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count and (piece := client.recv(min(65536, count - len(pieces)))):
        pieces += piece
    return bytes(pieces)


WAYS = pytest.mark.parametrize("way", ["/body", "/file"])


@WAYS
@pytest.mark.parametrize("size", [0, 1, 65_536, 131_073, 3_000_000])
def test_a_body_arrives_to_the_byte(web: WebServer, way: str, size: int) -> None:
    assert get(web, f"{way}?size={size}") == content(size)


@pytest.mark.parametrize("size", [0, 999, 12_345])
def test_a_body_of_unknown_length_arrives_in_chunks(web: WebServer, size: int) -> None:
    assert get(web, f"/chunked?size={size}") == content(size)


@WAYS
def test_head_has_the_length_and_no_body(web: WebServer, way: str) -> None:
    connection = web.connect()
    for _ in range(2):  # nothing of the first answer may stand before the second
        connection.request("HEAD", f"{way}?size=1000")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["content-length"]) == (200, "1000")
        assert answer.read() == b""
    connection.close()


def test_what_is_not_modified_has_no_body(web: WebServer) -> None:
    connection = web.connect()
    for target, status in [("/not-modified", 304), ("/small", 200)]:
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


@WAYS
def test_a_reader_that_stops_stops_the_application(web: WebServer, way: str) -> None:
    before = counts_at_rest(web)["taken"]
    with ask(web, f"{way}?size={LARGE}") as client:
        start = read(client, 1000)
        assert taken_when_stuck(web) - before < IN_FLIGHT
        more = read(client, 8 * MIB)  # and when it reads on, so does the application
        head, _, body = (start + more).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert body == content(len(body))


@WAYS
def test_two_hundred_slow_readers_cost_little(web: WebServer, way: str) -> None:
    process = psutil.Process(web.pid)
    get(web, f"{way}?size={MIB}")
    before = process.memory_info().rss
    begun = counts_at_rest(web)["begun"]
    with ExitStack() as clients:
        slow = [clients.enter_context(ask(web, f"{way}?size={LARGE}")) for _ in range(200)]
        wait_for(lambda: counts(web)["begun"] >= begun + 200, what="all to be answered")
        taken_when_stuck(web)
        for client in slow:
            assert read(client, 16_000).startswith(b"HTTP/1.1 200")
        taken_when_stuck(web)
        grown = process.memory_info().rss - before
    # A slow reader of a file costs objects, one of a body also the piece that waits.
    assert grown < {"/file": 20 * MIB, "/body": 60 * MIB}[way]


@WAYS
def test_a_fast_client_is_served_beside_fifty_slow_ones_and_they_beside_it(
    web: WebServer, way: str
) -> None:
    with ExitStack() as clients:
        slow = [clients.enter_context(ask(web, f"{way}?size={LARGE}")) for _ in range(50)]
        assert get(web, f"{way}?size={64 * MIB}") == content(64 * MIB)
        with ask(web, f"{way}?size={LARGE}", window=4 * MIB) as fast:
            for client in slow:
                assert read(fast, MIB)
                assert read(client, 100_000).startswith(b"HTTP/1.1 200")
            assert get(web, "/small") == b"small"


@WAYS
@pytest.mark.parametrize("window", [16 * 1024, 4 * MIB])
def test_a_leaving_client_is_noticed_and_what_it_took_is_known(
    web: WebServer, way: str, window: int
) -> None:
    before = counts_at_rest(web)
    client = ask(web, f"{way}?size={LARGE}", window=window)
    received = len(read(client, 64 * MIB))  # so that a large window makes it a fast client
    client.close()
    wait_for(lambda: counts(web)["gone"] == before["gone"] + 1, what="being told")
    after = counts(web)
    taken, undelivered = (after[name] - before[name] for name in ("taken", "undelivered"))
    # What arrived is what this program read, and what its kernel had for it; `send` has not
    # returned from the last piece of a body.
    in_hand = {"/file": 0, "/body": PIECE}[way]
    assert received - 1000 - in_hand <= taken - max(0, undelivered - in_hand)
    assert taken - undelivered < received + 2 * window


@pytest.mark.parametrize(
    "targets",
    [
        ["/later", "/small", "/small"],
        ["/file?size=300000", "/later", "/body?size=300000", "/chunked?size=5000", "/small"],
    ],
)
def test_pipelined_requests_are_answered_in_their_order(web: WebServer, targets: list[str]) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as client:
        client.sendall(
            b"".join(
                f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for target in targets
            )
        )
        for target in targets:
            answer = http.client.HTTPResponse(client)
            # Its own file would read ahead, and take the start of the next answer along.
            answer.fp = Unbuffered(client)  # type: ignore[assignment]
            answer.begin()
            path, _, size = target.partition("?size=")
            expected = content(int(size)) if size else path.removeprefix("/").encode()
            assert (answer.status, answer.read()) == (200, expected)


class Unbuffered:
    """As much of a file as http.client wants of a socket; it never reads ahead."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def readline(self, limit: int = -1) -> bytes:
        line = b""
        while not line.endswith(b"\n") and (byte := self._client.recv(1)):
            line += byte
        return line

    def read(self, count: int) -> bytes:
        return read(self._client, count)

    def close(self) -> None: ...

    def flush(self) -> None: ...


@pytest.mark.parametrize(
    "target",
    [
        "/broken-off?size=100000",
        "/broken-off-chunks?size=50000",
        "/failing-halfway?size=100000",
        "/too-short?size=50000",
        "/file?size=300000000",  # there are fewer
    ],
)
def test_a_broken_answer_never_looks_whole(web: WebServer, target: str) -> None:
    connection = web.connect()
    connection.request("GET", target)
    answer = connection.getresponse()
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        answer.read()
    connection.close()


def test_nothing_beyond_the_promised_length_is_sent(web: WebServer) -> None:
    with ask(web, "/too-long?size=1000") as client:
        answer = read(client, 100_000)  # to the end of the connection
    assert len(answer.partition(b"\r\n\r\n")[2]) <= 1000


def test_a_failing_application_is_a_500_and_the_server_goes_on(web: WebServer) -> None:
    connection = web.connect()
    connection.request("GET", "/failing")
    assert connection.getresponse().status == 500
    assert get(web, "/small") == b"small"


def test_a_connection_that_is_to_end_ends_after_the_answer(web: WebServer) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as client:
        client.sendall(
            b"GET /file?size=3000000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        whole = read(client, 2**40)
    assert whole.partition(b"\r\n\r\n")[2] == content(3_000_000)


@pytest.mark.parametrize("framing", [b"Content-Length: %d", b"Transfer-Encoding: chunked"])
def test_daphne_gathers_no_body_that_nobody_takes(framing: bytes, tmp_path: Path) -> None:
    limit = max(part_size_for(settings.MAX_UPLOAD_BYTES), settings.MAX_FORM_BYTES)
    with _running("daphne", tmp_path) as web:
        begun = counts(web)["begun"]
        for size, status in [(limit, b"200"), (limit + 1, b"413")]:
            head = b"POST /small HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n"
            is_chunked = b"%d" not in framing
            with socket.create_connection(("127.0.0.1", web.port), timeout=30) as client:
                client.sendall(head if is_chunked else head % size)
                body = (
                    b"%x\r\n" % size + bytes(size) + b"\r\n0\r\n\r\n" if is_chunked else bytes(size)
                )
                with suppress(ConnectionError):  # it doesn't wait for what it refuses
                    client.sendall(body)
                with suppress(ConnectionError):
                    assert client.recv(1000).split(b" ")[1] == status
        assert counts(web)["begun"] == begun + 2  # the smaller one and this


@pytest.mark.parametrize("name", SERVERS)
def test_a_client_that_takes_nothing_is_let_go(name: str, tmp_path: Path) -> None:
    with _running(name, tmp_path, LONGWAVE_SEND_TIMEOUT="0.5") as web:
        for way in ("/body", "/file"):
            before = counts_at_rest(web)["gone"]
            with ask(web, f"{way}?size={LARGE}") as client:
                assert read(client, 1000)
                wait_for(lambda before=before: counts(web)["gone"] == before + 1, what="its end")  # type: ignore[misc]
                with pytest.raises((ConnectionResetError, BrokenPipeError, EOFError)):
                    read_to_the_end(client)


def read_to_the_end(client: socket.socket) -> None:
    """Raises EOFError at the end."""
    while client.recv(MIB):
        pass
    raise EOFError


@pytest.mark.parametrize("name", SERVERS)
def test_a_stop_lets_an_answer_end_and_takes_no_more(name: str, tmp_path: Path) -> None:
    with _running(name, tmp_path) as web:
        client = ask(web, f"/file?size={16 * MIB}")
        start = read(client, 1000)
        process = psutil.Process(web.pid)
        process.terminate()
        whole = start + read(client, 16 * MIB + len(re.split(rb"\r\n\r\n", start)[0]) + 4 - 1000)
        client.close()
        assert whole.partition(b"\r\n\r\n")[2] == content(16 * MIB)
        wait_for(lambda: not process.is_running() or process.status() == "zombie", what="its end")
