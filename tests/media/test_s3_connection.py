"""The client of the bucket: heads of answers, connections that are kept, and room used again."""

import asyncio
import gc

import pytest

from apps.media.storage import StorageError, s3_connection, s3_session
from apps.media.storage.s3_connection import Head, NotHTTPError, parse_head
from tests.media.bucket import Answer, Request, answer, body, bucket, part

KIB = 1024

HEADS: dict[str, tuple[bytes, Head]] = {
    "a part": (
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\nContent-Range: bytes 0-9/1000",
        Head(206, 10, "bytes 0-9/1000", is_kept=True),
    ),
    "any case, any spaces": (
        b"HTTP/1.1 200 OK\r\ncontent-LENGTH:\t7  \r\nETag: a:b",
        Head(200, 7, "", is_kept=True),
    ),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 0", Head(200, 0, "", is_kept=True)),
    "no reason, no space": (b"HTTP/1.1 200\r\nContent-Length: 0", Head(200, 0, "", is_kept=True)),
    "the last one": (
        b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1",
        Head(200, 1, "", is_kept=False),
    ),
    "an old server": (b"HTTP/1.0 200 OK\r\nContent-Length: 1", Head(200, 1, "", is_kept=False)),
    "up to the end": (b"HTTP/1.1 200 OK", Head(200, None, "", is_kept=False)),
    "in chunks, whatever the length": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        Head(200, None, "", is_kept=False),
    ),
    "the same length twice": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5",
        Head(200, 5, "", is_kept=True),
    ),
}


@pytest.mark.parametrize(("text", "head"), HEADS.values(), ids=HEADS.keys())
def test_a_head_is_understood(text: bytes, head: Head) -> None:
    assert parse_head(text) == head


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2",
        b"HTTP/2 200",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0",
        b"HTTP/1.1 200 OK\r\nContent-Length: ",
        b"HTTP/1.1 200 OK\r\nno colon",
    ],
)
def test_what_is_no_head_is_refused(text: bytes) -> None:
    with pytest.raises(NotHTTPError):
        parse_head(text)


async def read(address: str, start: int, stop: int) -> bytes:
    """Through the loop's session, and then its connection may be kept."""
    found = await (await s3_session.session()).get(address, start, stop)
    assert found.head.length == stop - start
    pieces = bytearray()
    while piece := await found.read():
        pieces += piece
    found.finish()
    return bytes(pieces)


def slowly(size_bytes: int) -> Answer:
    """The range that is asked for, its head and body in small pieces."""

    async def write(request: Request) -> None:
        start, stop = request.bounds
        head = (
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            f"HTTP/1.1 206 Partial Content\r\nContent-Length: {stop - start}\r\n"
            f"Content-Range: bytes {start}-{stop - 1}/{size_bytes}\r\n\r\n"
        )
        whole = head.encode() + body(start, stop)
        for at in range(0, len(whole), 7):
            await request.send(whole[at : at + 7])
            await asyncio.sleep(0)

    return write


async def test_a_head_may_come_in_pieces_and_after_others() -> None:
    async with bucket(slowly(1000)) as served:
        for _ in range(2):
            assert await read(f"{served.origin}/a", 100, 200) == body(100, 200)
        assert served.connections == 1


NOT_KEPT: dict[str, Answer] = {
    "closed by word": answer(206, "Connection: close", content=body(0, 10)),
    "more than promised": answer(206, "Content-Length: 10", content=body(0, 11), length=False),
}


@pytest.mark.parametrize("given", NOT_KEPT.values(), ids=NOT_KEPT.keys())
async def test_a_connection_that_cannot_be_trusted_is_not_kept(given: Answer) -> None:
    async with bucket(given, part()) as served:
        for _ in range(2):
            assert await read(f"{served.origin}/a", 0, 10) == body(0, 10)
        assert served.connections == 2


async def test_a_connection_that_waited_for_too_long_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bucket(part()) as served:
        await read(f"{served.origin}/a", 0, 10)
        monkeypatch.setattr(s3_connection, "KEPT_SECONDS", 0.0)
        await read(f"{served.origin}/a", 0, 10)
        assert served.connections == 2


async def test_a_connection_that_nobody_asks_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_connection, "KEPT_SECONDS", 0.01)
    monkeypatch.setattr(s3_connection, "SILENCE_SECONDS", 0.05)
    async with bucket(part()) as served:
        await read(f"{served.origin}/a", 0, 10)
        await served.all_closed()
        assert not (await s3_session.session()).connections


async def test_what_comes_unasked_ends_a_kept_connection() -> None:
    async with bucket(part()) as served:
        await read(f"{served.origin}/a", 0, 10)
        await served.requests[0].send(b"HTTP/1.1 408 Too late\r\n\r\n")
        await served.all_closed()
        assert await read(f"{served.origin}/a", 5, 10) == body(5, 10)


@pytest.mark.parametrize(
    "content", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"a" * 40 * KIB]
)
async def test_an_answer_that_is_none_ends_the_connection(content: bytes) -> None:
    async def speak(request: Request) -> None:
        await request.send(content)
        await request.reader.read()

    async with bucket(speak) as served:
        source = served.source()
        with pytest.raises(StorageError, match="cannot be read from the bucket: the "):
            await source.prepare(0, 10)
        await served.all_closed()


async def test_who_gets_no_connection_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_session, "CONNECTIONS", 2)
    monkeypatch.setattr(s3_session, "CONNECT_SECONDS", 0.05)
    session = s3_session.Session(asyncio.get_running_loop())
    async with bucket(part()) as served:
        address = f"{served.origin}/a"
        first, _ = [await session.get(address, 0, 10) for _ in range(2)]
        with pytest.raises(TimeoutError):
            await session.get(address, 0, 10)
        first.close()
        (await session.get(address, 0, 10)).close()
        await session.close()
        await served.all_closed()


async def test_readers_at_once_each_get_their_own_bytes() -> None:
    """Room is used again by others: not before its reader is done with it, also when some leave."""
    size = 700 * KIB

    async def listen(address: str, number: int) -> None:
        session = await s3_session.session()
        for turn in range(6):
            start, stop = 1000 * number + turn, size - 2000 * turn
            found = await session.get(address, start, stop)
            at = start
            while piece := await found.read():
                expected = body(at, at + len(piece))
                assert piece == expected
                await asyncio.sleep(0.001 * (number % 3))  # others read meanwhile
                assert piece == expected
                at += len(piece)
                if (number + turn) % 4 == 0:
                    found.close()
                    break
            else:
                assert at == stop
                found.finish()

    async with bucket(part(size), size_bytes=size) as served, asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(listen(f"{served.origin}/a", number))


async def test_an_address_is_asked_for_as_it_was_signed() -> None:
    async with bucket(part()) as served:
        await read(f"{served.origin}/a%2Fb/%C3%A4.mp3?X-Id=GetObject&sig=a%2Bb%3D", 0, 10)
        assert served.requests[0].target == "/a%2Fb/%C3%A4.mp3?X-Id=GetObject&sig=a%2Bb%3D"
        assert served.requests[0].headers["host"] == f"127.0.0.1:{served.port}"


async def test_an_answer_that_nobody_ended_gives_its_place_back() -> None:
    session = s3_session.Session(asyncio.get_running_loop())
    async with bucket(part()) as served:
        for _ in range(3):
            await session.get(f"{served.origin}/a", 0, 1000)
        gc.collect()
        await served.all_closed()
        assert not session.connections
        assert session._places._value == s3_session.CONNECTIONS


async def test_the_next_address_of_a_name_is_tried_and_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3_session, "CONNECT_SECONDS", 0.4)
    loop = asyncio.get_running_loop()
    session = s3_session.Session(loop)
    asked: list[str] = []
    connect_to = session._connect_to

    async def watched(origin: s3_session.Origin, address: str) -> s3_connection.BucketConnection:
        asked.append(address)
        if address == "192.0.2.1":  # RFC 5737: nobody's
            await asyncio.sleep(60)
        return await connect_to(origin, address)

    async def named(host: str, port: int, **_: object) -> list[object]:
        return [(2, 1, 6, "", (address, port)) for address in ("192.0.2.1", "127.0.0.1")]

    monkeypatch.setattr(session, "_connect_to", watched)
    monkeypatch.setattr(loop, "getaddrinfo", named)
    async with bucket(part()) as served:
        for _ in range(2):
            found = await session.get(f"http://bucket.example:{served.port}/a", 0, 10)
            found.close()
        assert asked == ["192.0.2.1", "127.0.0.1", "127.0.0.1"]
        await session.close()


async def test_a_closing_that_is_cancelled_closes_all_the_same() -> None:
    loop, faults = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    session = s3_session.Session(loop)
    async with bucket(part()) as served:
        answers = [await session.get(f"{served.origin}/a", 0, 1000) for _ in range(3)]
        closing = asyncio.create_task(session.close())
        await asyncio.sleep(0)
        closing.cancel()
        await served.all_closed()
        assert not session.connections
        assert not faults
        del answers


async def test_a_connection_that_is_not_made_in_time_is_told_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(s3_session, "CONNECT_SECONDS", 0.05)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)
    async with bucket(part()) as served:
        with pytest.raises(StorageError, match="cannot be read from the bucket: TimeoutError"):
            await served.source().prepare(0, 10)
