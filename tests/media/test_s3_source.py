"""Reading from a bucket that misbehaves: what is wrong is told, and never sent on."""

import asyncio
import gc
import logging
import ssl
import subprocess
import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.core.clock import now
from apps.media.errors import SourceClosedError, SourceTooShortError
from apps.media.sources import CHUNK_BYTES
from apps.media.storage import ObjectMissingError, StorageError, s3_connection, s3_session
from apps.media.storage.s3_session import Session
from apps.media.storage.s3_source import S3Source
from tests.media.bucket import SECRET, Answer, answer, body, bucket, fall_silent, leave, part
from tests.waiting import eventually, standstill

MIB = 1024 * 1024


async def read(source: S3Source, start: int, stop: int) -> bytes:
    """These bytes, and then the source is closed whatever comes."""
    try:
        async with aclosing(source.read(start, stop)) as pieces:
            return b"".join([bytes(piece) async for piece in pieces])
    finally:
        await source.close()


@pytest.mark.parametrize("bounds", [(0, 1), (0, 1000), (10, 999), (999, 1000), (5, 5)])
async def test_a_range_is_read_to_the_byte(bounds: tuple[int, int]) -> None:
    async with bucket(part()) as served:
        assert await read(served.source(), *bounds) == body(*bounds)
        assert [request.bounds for request in served.requests] == [bounds][: bounds[1] - bounds[0]]


async def test_what_was_prepared_is_read_without_asking_again() -> None:
    async with bucket(part()) as served:
        source = served.source()
        assert source.descriptor is None
        await source.prepare(10, 20)
        assert await read(source, 10, 20) == body(10, 20)
        assert len(served.requests) == 1


async def test_another_range_than_was_prepared_is_asked_for() -> None:
    async with bucket(part()) as served:
        source = served.source()
        await source.prepare(10, 20)
        assert await read(source, 10, 30) == body(10, 30)
        assert [request.bounds for request in served.requests] == [(10, 20), (10, 30)]


async def test_bodies_read_to_their_end_share_a_connection() -> None:
    async with bucket(part()) as served:
        for start in range(5):
            assert await read(served.source(), start, 1000) == body(start, 1000)
        assert (len(served.requests), served.connections) == (5, 1)


async def test_a_bucket_is_asked_for_bytes_as_they_are_stored_and_told_nothing_else() -> None:
    async with bucket(answer(200, "Set-Cookie: a=b", content=body(0, 1000)), part()) as served:
        for _ in range(2):
            await read(served.source(), 0, 1000)
        for request in served.requests:
            assert request.headers == {
                "host": f"127.0.0.1:{served.port}",
                "range": "bytes=0-999",
                "accept-encoding": "identity",
                "user-agent": "Longwave",
            }


async def test_the_whole_may_come_as_the_whole() -> None:
    async with bucket(answer(200, content=body(0, 1000))) as served:
        assert await read(served.source(), 0, 1000) == body(0, 1000)


def other_range(first: int, last: int, total: int | str, count: int = 10) -> Answer:
    return answer(206, f"Content-Range: bytes {first}-{last}/{total}", content=body(0, count))


DENIED = b"<Error><Code>AccessDenied</Code><Message>See " + SECRET.encode() + b"</Message></Error>"
WRONG: dict[str, tuple[Answer, type[OSError], str]] = {
    "missing": (answer(404), ObjectMissingError, "nothing is stored"),
    "longer": (other_range(0, 9, 1001), SourceTooShortError, "has 1001 bytes, not 1000"),
    "shorter": (other_range(0, 9, 999), SourceTooShortError, "has 999 bytes, not 1000"),
    "beyond": (answer(416, "Content-Range: bytes */0"), SourceTooShortError, "has 0 bytes"),
    "later part": (other_range(1, 10, 1000), StorageError, "another part"),
    "longer part": (other_range(0, 10, 1000, 11), StorageError, "another part"),
    "unknown total": (other_range(0, 9, "*"), StorageError, "another part"),
    "no range told": (answer(206, content=body(0, 10)), StorageError, "another part"),
    "whole for a part": (answer(200, content=body(0, 1000)), StorageError, "another part"),
    "other whole": (answer(200, content=b"other"), SourceTooShortError, "has 5 bytes"),
    "contradiction": (other_range(0, 9, 1000, 9), StorageError, "contradicts"),
    "elsewhere": (answer(307, f"Location: /?{SECRET}"), StorageError, "answers 307 for"),
    "denied": (answer(403, content=DENIED), StorageError, r"answers 403 \(AccessDenied\) for"),
    "overloaded": (answer(503, content=b"<nonsense"), StorageError, "answers 503 for"),
    "nothing": (leave, StorageError, "cannot be read from the bucket: it was closed"),
}


@pytest.mark.parametrize(("given", "error", "message"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_answer_is_told_before_a_byte_is_read_and_without_the_address(
    given: Answer, error: type[OSError], message: str
) -> None:
    async with bucket(given) as served:
        source = served.source()
        with pytest.raises(error, match=message) as caught:
            await source.prepare(0, 10)
        await source.close()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_a_bucket_that_cannot_be_reached_is_told_without_the_address() -> None:
    async with bucket(part()) as served:
        source = served.source()
    with pytest.raises(StorageError, match="cannot be read from the bucket") as caught:
        await source.prepare(0, 10)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A key, and the certificate for this machine that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bucket")])
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(addresses, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "own.pem").write_bytes(private + certificate.public_bytes(pem))
    return tmp_path / "own.pem"


@pytest.mark.parametrize("is_named", [True, False])
async def test_an_authority_of_ones_own_is_trusted_when_boto3_is_told_of_it(
    authority: Path, monkeypatch: pytest.MonkeyPatch, is_named: bool
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority) if is_named else "")
    trusted = s3_session.trusted_certificates
    monkeypatch.setattr(s3_session, "trusted_certificates", trusted.__wrapped__)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(authority)
    async with bucket(part(MIB), size_bytes=MIB, tls=tls) as served:
        reading = read(served.source(), 0, MIB)
        if is_named:
            assert await reading == body(0, MIB)
        else:
            with pytest.raises(StorageError, match="CERTIFICATE_VERIFY_FAILED"):
                await reading


async def test_an_address_that_is_refused_is_signed_anew_once_and_for_all() -> None:
    async with bucket(part(), answer(403, content=DENIED), part()) as served:
        source = served.source()
        for _ in range(3):
            await source.prepare(0, 10)
        assert await read(source, 0, 10) == body(0, 10)
        signed = [request.target.partition("?n=")[2][0] for request in served.requests]
        assert signed == ["1", "1", "2", "2"]


async def test_a_kept_connection_that_the_bucket_closed_is_replaced() -> None:
    async with bucket(part(), leave, part()) as served:
        for _ in range(2):
            assert await read(served.source(), 0, 10) == body(0, 10)
        assert (len(served.requests), served.connections) == (3, 2)


async def test_a_body_that_breaks_off_is_continued_where_it_broke() -> None:
    async with bucket(part(only=300), part(only=1), part()) as served:
        assert await read(served.source(), 100, 1000) == body(100, 1000)
        assert [request.bounds for request in served.requests] == [
            (100, 1000),
            (400, 1000),
            (401, 1000),
        ]


async def test_a_body_that_keeps_breaking_off_is_given_up() -> None:
    async with bucket(part(only=10)) as served:
        with pytest.raises(StorageError, match="broke off"):
            await read(served.source(), 0, 1000)
        assert [request.bounds[0] for request in served.requests] == [0, 10, 20, 30, 40]
        await served.all_closed()


async def test_an_object_that_was_replaced_while_it_was_read_is_not_continued() -> None:
    async with bucket(part(only=300), part(size_bytes=2000)) as served:
        with pytest.raises(SourceTooShortError, match="2000"):
            await read(served.source(), 0, 1000)


async def test_a_body_without_a_length_is_not_begun() -> None:
    told = ("Content-Range: bytes 0-9/1000", "Transfer-Encoding: chunked")
    content = b"a\r\n0000000.00\r\n0\r\n\r\n"
    async with bucket(answer(206, *told, content=content, length=False)) as served:
        with pytest.raises(StorageError, match="does not tell the length"):
            await read(served.source(), 0, 10)


async def test_a_bucket_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_connection, "SILENCE_SECONDS", 0.1)
    async with bucket(fall_silent) as served:
        with pytest.raises(StorageError, match=r"nothing came for 0\.1 seconds"):
            await read(served.source(), 0, 1000)


async def test_a_closed_source_reads_no_more() -> None:
    async with bucket(part()) as served:
        source = served.source()
        await source.prepare(0, 10)
        await source.close()
        await source.close()
        with pytest.raises(SourceClosedError):
            await source.prepare(0, 10)
        with pytest.raises(SourceClosedError):
            await read(source, 0, 10)


async def test_a_reading_that_is_cancelled_drops_its_connection() -> None:
    async with bucket(fall_silent) as served:
        reading = asyncio.create_task(read(served.source(), 0, 1000))
        await eventually(lambda: served.sent > 0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await served.all_closed()


async def _stop_after_a_piece(size_bytes: int) -> tuple[int, int]:
    """The first piece's length, and how much the bucket could send while nobody read on."""
    async with bucket(part(size_bytes), size_bytes=size_bytes) as served:
        pieces = served.source().read(0, size_bytes)
        piece = await anext(pieces)
        sent = await standstill(lambda: served.sent)
        await pieces.aclose()
        await served.all_closed()
        return len(piece), sent


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def run[T](loop: str, work: Coroutine[None, None, T]) -> T:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(work)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_listener_who_stops_stops_the_bucket(loop: str) -> None:
    piece, sent = run(loop, _stop_after_a_piece(64 * MIB))
    assert piece <= CHUNK_BYTES
    assert sent < 2 * MIB  # most of it in the kernel's buffers, on both sides


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.filterwarnings("error")
def test_connections_are_closed_as_the_loop_ends(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> Session:
        async with bucket(part()) as served:
            await read(served.source(), 0, 10)
            assert await s3_session.session() is await s3_session.session()
            return await s3_session.session()

    with caplog.at_level(logging.DEBUG):
        used = [run(loop, work()) for _ in range(2)]
        assert used[0] is not used[1]
        assert not any(session.connections for session in used)
        del used
        gc.collect()
    assert "nclosed" not in caplog.text
    assert not s3_session._sessions


def test_a_loop_that_is_stopped_and_left_ends_without_a_word() -> None:
    script = (
        "import asyncio; from apps.media.storage.s3_session import session;"
        "asyncio.new_event_loop().run_until_complete(session())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout + done.stderr == b""
