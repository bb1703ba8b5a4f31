"""Responses with bytes of a file: the same answers in this process, on uvicorn and on Daphne."""

import email
import email.policy
import http.client
import re
import socket
import time
from collections.abc import Callable
from email.message import Message
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import override_settings

from apps.media.open_files import OpenFile, OpenFiles
from apps.media.ranges import MAX_RANGES
from apps.media.serving import sent as sent_module
from tests.asgi import Reply, call
from tests.instance import wait_for
from tests.media.served import CHANGED_TEXT, ETAG, SIZE, application, content
from tests.media.servers import WebServer

WHOLE = content()
FILE = "/plain.mp3"

type Fetch = Callable[..., Reply]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that tests.media.served serves from in this process."""
    monkeypatch.setenv("LONGWAVE_TEST_FOLDER", str(tmp_path))
    (tmp_path / "plain").write_bytes(WHOLE)
    return tmp_path


@pytest.fixture(params=["in process", "by the kernel", "uvicorn", "daphne"])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    """One request to the application, called directly or by way of each server."""
    if request.param in {"in process", "by the kernel"}:
        request.getfixturevalue("folder")
        return partial(call, application, sends_files=request.param == "by the kernel")
    server: WebServer = request.getfixturevalue(request.param)

    def over_socket(method: str, target: str, headers: dict[str, str] | None = None) -> Reply:
        connection = server.connect()
        connection.request(method, target, headers=headers or {})
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        reply = Reply(answer.status, fields, answer.read(), is_complete=True)
        connection.close()
        return reply

    return over_socket


LONG_AGO = "Thu, 01 Jan 1998 00:00:00 GMT"
OTHER = {"If-Range": '"v1"'}
SAME = {"If-Range": ETAG}
ALL, NOTHING = slice(0, SIZE), slice(0, 0)
GET_TABLE: list[tuple[dict[str, str], int, str, slice | None]] = [
    # request headers, status, Content-Range, what of the file (None: a sentence)
    ({}, 200, "", ALL),
    ({"Range": "bytes=0-1"}, 206, "bytes 0-1/300000", slice(0, 2)),
    ({"Range": "bytes=0-"}, 206, "bytes 0-299999/300000", ALL),
    ({"Range": "bytes=-1"}, 206, "bytes 299999-299999/300000", slice(SIZE - 1, SIZE)),
    ({"Range": "bytes=65530-65545"}, 206, "bytes 65530-65545/300000", slice(65530, 65546)),
    ({"Range": "bytes=262143-262144"}, 206, "bytes 262143-262144/300000", slice(262143, 262145)),
    ({"Range": "bytes=299000-999999"}, 206, "bytes 299000-299999/300000", slice(299000, SIZE)),
    ({"Range": "bytes=0-4,5-9"}, 206, "bytes 0-9/300000", slice(0, 10)),
    ({"Range": "bytes=" + ",".join(["0-"] * 500)}, 206, "bytes 0-299999/300000", ALL),
    # Ignored: what is malformed, unknown, or out of all proportion
    ({"Range": "bytes=+0-4"}, 200, "", ALL),
    ({"Range": "bytes=1_0-2_0"}, 200, "", ALL),
    ({"Range": "seconds=0-4"}, 200, "", ALL),
    ({"Range": "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 800, 4))}, 200, "", ALL),
    # Not in the file
    ({"Range": "bytes=300000-"}, 416, "bytes */300000", None),
    ({"Range": "bytes=-0"}, 416, "bytes */300000", None),
    # If-Range: only the same version may be spliced
    ({"Range": "bytes=0-4"} | SAME, 206, "bytes 0-4/300000", slice(0, 5)),
    ({"Range": "bytes=0-4"} | OTHER, 200, "", ALL),
    ({"Range": "bytes=0-4", "If-Range": f"W/{ETAG}"}, 200, "", ALL),
    ({"Range": "bytes=0-4", "If-Range": CHANGED_TEXT}, 206, "bytes 0-4/300000", slice(0, 5)),
    ({"Range": "bytes=300000-"} | OTHER, 200, "", ALL),
    (SAME, 200, "", ALL),
    # Preconditions come before ranges
    ({"If-None-Match": ETAG}, 304, "", NOTHING),
    ({"If-None-Match": f"W/{ETAG}", "Range": "bytes=0-4"}, 304, "", NOTHING),
    (
        {"If-None-Match": ETAG, "If-Modified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"},
        304,
        "",
        NOTHING,
    ),
    ({"If-None-Match": '"v1"', "If-Modified-Since": CHANGED_TEXT}, 200, "", ALL),
    ({"If-Modified-Since": CHANGED_TEXT}, 304, "", NOTHING),
    ({"If-Match": '"v1"'}, 412, "", None),
    ({"If-Match": ETAG, "Range": "bytes=0-4"}, 206, "bytes 0-4/300000", slice(0, 5)),
]


@pytest.mark.parametrize(("headers", "status", "content_range", "sent"), GET_TABLE)
def test_get(
    fetch: Fetch, headers: dict[str, str], status: int, content_range: str, sent: slice | None
) -> None:
    reply = fetch("GET", FILE, headers)
    assert (reply.status, reply.headers.get("content-range", "")) == (status, content_range)
    assert reply.is_complete
    assert reply.headers["access-control-allow-origin"] == "*"
    if sent is None:
        assert reply.body.endswith(b".\n")
    else:
        assert reply.body == WHOLE[sent]
    if status != 304:
        assert int(reply.headers["content-length"]) == len(reply.body)
        assert reply.headers["accept-ranges"] == "bytes"
    if status in {200, 206, 304}:
        assert reply.headers["etag"] == ETAG
        assert reply.headers["last-modified"] == CHANGED_TEXT
        assert reply.headers["cache-control"] == "no-cache, no-transform"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Range": "bytes=0-4"}, 200),
        ({"Range": "bytes=300000-"}, 200),
        ({"If-None-Match": ETAG}, 304),
        ({"If-Match": '"v1"'}, 412),
    ],
)
def test_head_says_what_get_without_a_range_would(
    fetch: Fetch, headers: dict[str, str], status: int
) -> None:
    reply = fetch("HEAD", FILE, headers)
    assert (reply.status, reply.body) == (status, b"")
    if status == 200:
        whole = fetch("GET", FILE)
        for name in ("content-length", "content-type", "etag", "content-disposition"):
            assert reply.headers[name] == whole.headers[name]
        assert "content-range" not in reply.headers


def test_the_content_is_described_safely(fetch: Fetch) -> None:
    headers = fetch("GET", FILE).headers
    assert headers["content-type"] == "audio/mpeg"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "inline; filename*=utf-8''%C3%A9pisode%201.mp3"


def parts_of(reply: Reply) -> list[Message]:
    """The parts of a multipart body, read by a parser that is not ours."""
    head = f"Content-Type: {reply.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + reply.body, policy=email.policy.HTTP)
    assert message.defects == []
    return [part for part in message.walk() if not part.is_multipart()]


def test_several_ranges_come_as_parts_in_the_order_they_were_asked_for(fetch: Fetch) -> None:
    reply = fetch("GET", FILE, {"Range": "bytes=1000-1003,0-3,2-7,-2"})
    assert reply.status == 206
    assert "content-range" not in reply.headers
    assert int(reply.headers["content-length"]) == len(reply.body)
    parts = parts_of(reply)
    assert [part["Content-Range"] for part in parts] == [
        "bytes 1000-1003/300000",
        "bytes 0-7/300000",
        "bytes 299998-299999/300000",
    ]
    assert [part.get_content_type() for part in parts] == ["audio/mpeg"] * 3
    boundary = re.search("boundary=(.+)", reply.headers["content-type"])[1].encode()  # type: ignore[index]
    bodies = [piece.partition(b"\r\n\r\n")[2][:-2] for piece in reply.body.split(b"--" + boundary)]
    assert bodies[1:-1] == [WHOLE[1000:1004], WHOLE[:8], WHOLE[-2:]]


def test_parts_never_weigh_more_than_the_file(folder: Path) -> None:
    (folder / "plain").write_bytes(WHOLE[:1000])
    ranges = ",".join(f"{n * 50}-{n * 50 + 9}" for n in range(MAX_RANGES))
    reply = call(application, "GET", FILE, {"Range": f"bytes={ranges}"})
    assert (reply.status, reply.body) == (200, WHOLE[:1000])


def test_an_empty_file_is_answered_without_ranges(folder: Path) -> None:
    (folder / "plain").write_bytes(b"")
    assert call(application, "GET", FILE).headers["content-length"] == "0"
    assert call(application, "GET", FILE, {"Range": "bytes=0-"}).status == 416


def test_a_web_page_of_any_origin_may_ask_for_ranges(fetch: Fetch) -> None:
    headers = {
        "Origin": "https://player.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "range, if-range, if-none-match",
    }
    reply = fetch("OPTIONS", FILE, headers)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    allowed = reply.headers["access-control-allow-headers"].lower()
    assert {"range", "if-range", "if-none-match"} <= set(allowed.split(", "))
    assert reply.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert int(reply.headers["access-control-max-age"]) > 0
    exposed = fetch("GET", FILE).headers["access-control-expose-headers"]
    assert {"Content-Range", "Accept-Ranges", "ETag", "Content-Length"} <= set(exposed.split(", "))


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "PUT"])
def test_a_file_can_only_be_read(fetch: Fetch, method: str) -> None:
    reply = fetch(method, FILE)
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    ("target", "status"),
    [("/nothing", 404), ("/failing", 500), ("/missing.mp3", 503), ("/plain.mp3/", 404)],
)
def test_what_cannot_be_answered_says_so_in_a_sentence(
    fetch: Fetch, target: str, status: int
) -> None:
    reply = fetch("GET", target)
    assert reply.status == status
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.body.endswith(b".\n")
    assert reply.headers["cache-control"] == "no-store"


def test_connections_are_kept_open_between_answers(web: WebServer) -> None:
    connection = web.connect()
    for headers, status in [
        ({"Range": "bytes=0-4"}, 206),
        ({"If-None-Match": ETAG}, 304),
        ({"Range": "bytes=300000-"}, 416),
        ({}, 200),
    ]:
        connection.request("GET", FILE, headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert not answer.will_close
    connection.close()


ANYTHING_ELSE = [
    ("GET", FILE, {"Range": "bytes=9-9"}),
    ("GET", FILE, {"If-None-Match": ETAG}),
    ("GET", FILE, {"Range": "bytes=300000-"}),
    ("HEAD", FILE, {}),
    ("OPTIONS", FILE, {}),
    ("GET", "/nothing", {}),
]


def test_no_answer_waits_behind_a_range_on_its_connection(web: WebServer) -> None:
    """What a range's segments wait for must not hold back what follows: the kernel's 200 ms."""
    connection, slow = web.connect(), []
    for _ in range(3):
        for method, target, headers in ANYTHING_ELSE:
            connection.request("GET", FILE, headers={"Range": "bytes=0-4"})
            assert connection.getresponse().read() == WHOLE[:5]
            began = time.monotonic()
            connection.request(method, target, headers=headers)
            connection.getresponse().read()
            if time.monotonic() - began > 0.15:
                slow.append((method, target, headers))
    connection.close()
    assert all(slow.count(one) < 3 for one in slow)  # a busy machine is not late every time


def test_a_body_is_asked_for_at_once_behind_a_range_on_its_connection(web: WebServer) -> None:
    connection, seconds = web.connect(), []
    for _ in range(3):
        connection.request("GET", FILE, headers={"Range": "bytes=0-4"})
        assert connection.getresponse().read() == WHOLE[:5]
        connection.putrequest("PUT", "/body")
        connection.putheader("Content-Length", "3")
        connection.putheader("Expect", "100-continue")
        began = time.monotonic()
        connection.endheaders()
        assert connection.sock is not None
        assert connection.sock.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 100"
        seconds.append(time.monotonic() - began)
        connection.send(b"abc")
        assert connection.getresponse().read() == b"3"
    connection.close()
    assert min(seconds) < 0.15


def test_a_file_that_turns_out_short_breaks_the_connection(web: WebServer) -> None:
    connection = web.connect()
    connection.request("GET", "/shrinking.mp3")
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()
    assert broken.value.partial == WHOLE[: SIZE // 2]


def test_a_body_is_handed_to_the_view_as_it_arrives(web: WebServer) -> None:
    connection = web.connect()
    connection.request("PUT", "/body", body=bytes(3_000_000))
    assert connection.getresponse().read() == b"3000000"
    connection.close()


def reports(folder: Path) -> list[dict[str, object]]:
    return WebServer("in process", 0, folder).reports()


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({}, [[0, SIZE]]),
        ({"Range": "bytes=0-0"}, [[0, 1]]),
        ({"Range": "bytes=10-99"}, [[10, 100]]),
        ({"Range": "bytes=500-599,0-99,600-609"}, [[0, 100], [500, 610]]),
    ],
)
def test_what_was_sent_is_told_once_and_in_order(
    folder: Path, headers: dict[str, str], sent: list[list[int]]
) -> None:
    assert call(application, "GET", FILE, headers).is_complete
    assert reports(folder) == [{"sent": sent, "final": True}]


def test_what_was_sent_is_told_before_the_client_has_the_last_byte(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    finish = sent_module.Sent.finish

    def spy(sent: sent_module.Sent) -> None:
        if sent.is_awaited:
            seen.append(len(received))
        finish(sent)

    monkeypatch.setattr(sent_module.Sent, "finish", spy)
    received = bytearray()

    async def recording(scope: object, receive: object, send: Callable[..., object]) -> None:
        async def send_and_note(message: dict[str, bytes]) -> None:
            received.extend(message.get("body", b""))
            await send(message)  # type: ignore[misc]

        await application(scope, receive, send_and_note)  # type: ignore[arg-type]

    assert call(recording, "GET", FILE).is_complete
    assert seen == [SIZE - 1]


def test_a_client_that_leaves_is_told_with_what_it_took(folder: Path) -> None:
    (folder / "plain").write_bytes(bytes(3 * 256 * 1024))
    reply = call(application, "GET", FILE, leave_after=256 * 1024)
    assert not reply.is_complete
    assert reports(folder) == [{"sent": [[0, 256 * 1024]], "final": True}]


def test_a_leaving_client_is_noticed_although_nothing_ever_waits(folder: Path) -> None:
    size = 40 * 256 * 1024
    (folder / "plain").write_bytes(bytes(size))
    reply = call(application, "GET", FILE, leave_after=0, has_backpressure=False)
    assert len(reply.body) < size / 4
    (report,) = reports(folder)
    assert report["final"] is True
    assert report["sent"] in ([], [[0, len(reply.body)]], [[0, len(reply.body) - 256 * 1024]])


@pytest.mark.parametrize("leave_after", [-1, 0], ids=["before the headers", "before the body"])
def test_a_client_that_leaves_before_the_first_byte_took_nothing(
    folder: Path, leave_after: int
) -> None:
    call(application, "GET", FILE, leave_after=leave_after)
    assert reports(folder) == [{"sent": [], "final": True}]


def test_nothing_sent_by_head_and_errors_is_told(folder: Path) -> None:
    call(application, "HEAD", FILE)
    call(application, "GET", FILE, {"If-None-Match": ETAG})
    call(application, "GET", FILE, {"Range": "bytes=300000-"})
    assert reports(folder) == []


def test_a_long_stream_is_told_as_it_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_module, "REPORT_SECONDS", 0.0)
    (folder / "plain").write_bytes(bytes(600_000))
    call(application, "GET", FILE)
    assert reports(folder) == [
        {"sent": [[0, 262_144]], "final": False},
        {"sent": [[0, 524_288]], "final": False},
        {"sent": [[0, 599_999]], "final": False},
        {"sent": [[0, 600_000]], "final": True},
    ]


@pytest.mark.parametrize("sends_files", [False, True])
def test_what_arrived_is_told_in_steps_until_that_is_enough(
    folder: Path, sends_files: bool
) -> None:
    reply = call(application, "GET", "/plain-in-steps.mp3", sends_files=sends_files)
    assert reply.is_complete
    assert reply.body == WHOLE
    assert reports(folder) == [
        {"sent": [[0, 100_000]], "final": False},
        {"sent": [[0, 200_000]], "final": False},
        {"sent": [[0, 300_000]], "final": True},
    ]


def test_a_response_no_longer_than_a_step_is_told_once(folder: Path) -> None:
    call(application, "GET", "/plain-in-steps.mp3", {"Range": "bytes=0-99999"}, sends_files=True)
    assert reports(folder) == [{"sent": [[0, 100_000]], "final": True}]


def test_a_file_told_in_steps_is_the_same_file(fetch: Fetch) -> None:
    headers = {"Range": "bytes=1-150000,160000-"}
    assert fetch("GET", "/plain-in-steps.mp3").body == WHOLE
    assert fetch("GET", "/plain-in-steps.mp3", headers).body.count(WHOLE[160_000:]) == 1


def test_a_recorder_that_fails_never_disturbs_the_sending(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "reports").mkdir()  # writing to it fails
    reply = call(application, "GET", FILE)
    assert reply.is_complete
    assert reply.body == WHOLE
    assert "What was sent could not be recorded" in caplog.text


@pytest.mark.parametrize("sends_files", [False, True])
@pytest.mark.parametrize("leave_after", [None, -1, 0, 262_144])
def test_no_file_stays_in_use(
    folder: Path, monkeypatch: pytest.MonkeyPatch, leave_after: int | None, sends_files: bool
) -> None:
    borrowed: list[OpenFile] = []
    borrow = OpenFiles.borrow

    async def remember(files: OpenFiles, *arguments: Any) -> OpenFile:
        file = await borrow(files, *arguments)
        borrowed.append(file)
        return file

    monkeypatch.setattr(OpenFiles, "borrow", remember)
    (folder / "plain").write_bytes(bytes(600_000))
    call(application, "GET", FILE, leave_after=leave_after, sends_files=sends_files)
    assert [file.readers for file in borrowed] == [0]


@pytest.mark.django_db  # its request signals look after the connections of tests before
@override_settings(ROOT_URLCONF="tests.media.served", MIDDLEWARE=[])
def test_django_s_own_handler_can_send_it_too(folder: Path) -> None:
    reply = call(ASGIHandler(), "GET", FILE, {"Range": "bytes=5-"})
    assert (reply.status, reply.body, reply.is_complete) == (206, WHOLE[5:], True)
    call(ASGIHandler(), "GET", FILE, leave_after=0)
    assert [report["sent"] for report in reports(folder)] == [[[5, SIZE]], []]


@pytest.mark.parametrize(
    ("count", "left"),
    [(0, [(0, 10), (20, 30)]), (4, [(0, 10), (20, 26)]), (10, [(0, 10)]), (13, [(0, 7)]), (99, [])],
)
def test_what_did_not_arrive_is_taken_back(count: int, left: list[tuple[int, int]]) -> None:
    told: list[tuple[list[tuple[int, int]], bool]] = []
    sent = sent_module.Sent(lambda intervals, final: told.append((intervals, final)))
    for start in (0, 20):
        sent.go_to(start)
        sent.advance(10)
    sent.take_back(count)
    sent.finish()
    assert told == [(left, True)]


def test_over_a_socket_steps_tell_only_what_arrived(web: WebServer) -> None:
    (web.folder / "large").write_bytes(bytes(64 * 1024 * 1024))
    before = len(web.reports())
    connections = []
    for _ in range(3):  # which take nothing but what fits their windows
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        client.settimeout(30)
        client.connect(("127.0.0.1", web.port))
        client.sendall(b"GET /large-in-steps.mp3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1)
        connections.append(client)
    taken = 0
    while taken < 8_000_000 and (piece := connections[0].recv(65_536)):
        taken += len(piece)
    for client in connections:
        client.close()

    told = wait_for(lambda: _all_ended(web.reports()[before:], 3), what="three ends")

    early = [one for one in told if not one["final"]]
    assert 1 <= len(early) <= 3
    assert all(_bytes_of(one) <= 8_000_000 + 65_536 for one in early)
    assert sorted(_bytes_of(one) < 200_000 for one in told if one["final"]) == [False, True, True]


def _all_ended(told: list[dict[str, Any]], count: int) -> list[dict[str, Any]] | None:
    return told if sum(one["final"] for one in told) == count else None


def _bytes_of(told: dict[str, Any]) -> int:
    return sum(stop - start for start, stop in told["sent"])


def test_over_a_socket_a_leaving_client_is_told_with_what_it_took(web: WebServer) -> None:
    (web.folder / "large").write_bytes(bytes(64 * 1024 * 1024))
    before = len(web.reports())
    window, taken = 16 * 1024, 0
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        client.settimeout(30)
        client.connect(("127.0.0.1", web.port))
        client.sendall(b"GET /large.mp3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while taken < 8_000_000 and (piece := client.recv(65_536)):
            taken += len(piece)
    (told,) = wait_for(lambda: web.reports()[before:], what="a report")
    assert told["final"] is True
    ((start, stop),) = cast("list[list[int]]", told["sent"])
    assert start == 0
    # Beyond what was read there is only what the client's own kernel had for it.
    assert taken - 1000 <= stop < taken + 4 * window
