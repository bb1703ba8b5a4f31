"""What every store must do, on a folder and on a real S3 service alike."""

import base64
import hashlib
import http.client
import uuid
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.test import RequestFactory

from apps.core.clock import now
from apps.media.serving import MediaResponse, Resource, serve
from apps.media.sources import CHUNK_BYTES, Segment
from apps.media.storage import (
    MultipartUpload,
    NoSuchUploadError,
    ObjectMissingError,
    Part,
    PartMismatchError,
    PartTarget,
    Storage,
)
from tests.asgi import call
from tests.media.served import content

PART_BYTES = 5 * 1024 * 1024  # S3 takes nothing smaller, but for the last part


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.mp3"
    path.write_bytes(content(2 * CHUNK_BYTES + 1234))
    return path


def key() -> str:
    """A key that no earlier test has used: the S3 service lives longer than a test."""
    name = uuid.uuid4().hex
    return f"renditions/{name[:2]}/{name}.mp3"


def read(store: Storage, name: str, size: int, start: int, stop: int) -> list[bytes]:
    async def chunks() -> list[bytes]:
        source = await store.open_source(name, size)
        try:
            return [bytes(chunk) async for chunk in source.read(start, stop)]
        finally:
            await source.close()

    return async_to_sync(chunks)()


def checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def send(target: PartTarget, data: bytes) -> int:
    """Send a part as a client would: over the network to S3, to our own endpoint otherwise."""
    url = urlsplit(target.url)
    if not url.netloc:
        from hosting.data_plane import DataPlane

        headers = {**target.headers, "Content-Length": str(len(data))}
        pieces = [data[at : at + 65536] for at in range(0, len(data), 65536)]
        return call(DataPlane(), target.method, target.url, headers, body=pieces).status
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.request(target.method, f"{url.path}?{url.query}", data, target.headers)
    status = connection.getresponse().status
    connection.close()
    return status


def send_part(store: Storage, upload: MultipartUpload, number: int, data: bytes) -> int:
    target = store.part_target(
        upload,
        number=number,
        size_bytes=len(data),
        checksum_sha256=checksum(data),
        lifetime_seconds=300,
    )
    return send(target, data)


def listed(store: Storage, upload: MultipartUpload, *contents: bytes) -> list[Part]:
    """The parts as the client that sent these contents lists them."""
    return [
        replace(part, checksum_sha256=checksum(data))
        for part, data in zip(store.list_parts(upload), contents, strict=True)
    ]


@pytest.fixture
def upload(store: Storage) -> MultipartUpload:
    return store.create_multipart(uuid.uuid4(), content_type="application/octet-stream")


def test_a_stored_file_can_be_read_back_and_deleted(store: Storage, file: Path) -> None:
    name = key()
    assert not store.exists(name)
    store.put(file, name, content_type="audio/mpeg")
    assert store.exists(name)
    assert store.size(name) == file.stat().st_size
    with store.materialise(name) as path:
        assert path.read_bytes() == file.read_bytes()
    store.delete(name)
    assert not store.exists(name)
    store.delete(name)


def test_a_listing_names_whole_objects_by_the_beginning_of_their_keys(
    store: Storage, file: Path, upload: MultipartUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.media.storage.s3.LISTED_AT_ONCE", 2)
    folder = f"images/{uuid.uuid4().hex}"
    names = [f"{folder}/{name}" for name in ("a1.jpg", "a2.jpg", "ab/3.jpg", "b4.jpg", "b5.jpg")]
    for name in names:
        store.put(file, name, content_type="image/jpeg")
    send_part(store, upload, 1, b"not whole yet")
    size = file.stat().st_size

    def found(prefix: str) -> list[str]:
        listed = list(store.list_objects(prefix))
        assert all(item.size_bytes == size for item in listed)
        assert all(abs(item.modified_at - now()) < timedelta(minutes=5) for item in listed)
        return sorted(item.key for item in listed)

    assert found(f"{folder}/") == names
    assert found(f"{folder}/a") == names[:3]
    assert found(f"{folder}/ab/") == names[2:3]
    assert found(f"{folder}/b4.jpg") == names[3:4]
    assert found(f"{folder}/c") == []
    assert found(f"originals/{upload.upload_id}") == []
    assert {item.key for item in store.list_objects("")} >= set(names)
    store.delete(names[0])
    assert found(f"{folder}/") == names[1:]


def test_storing_a_file_twice_changes_nothing(store: Storage, file: Path) -> None:
    name = key()
    store.put(file, name, content_type="audio/mpeg")
    store.put(file, name, content_type="audio/mpeg")
    assert store.size(name) == file.stat().st_size


@pytest.mark.parametrize("bounds", [(0, 1), (0, None), (5, 10), (CHUNK_BYTES - 1, None)])
def test_any_range_is_read_in_bounded_pieces(
    store: Storage, file: Path, bounds: tuple[int, int | None]
) -> None:
    name, data = key(), file.read_bytes()
    store.put(file, name, content_type="audio/mpeg")
    start, stop = bounds[0], bounds[1] or len(data)
    chunks = read(store, name, len(data), start, stop)
    assert b"".join(chunks) == data[start:stop]
    assert max(map(len, chunks)) <= CHUNK_BYTES


def test_a_stored_file_is_served_in_ranges(store: Storage, file: Path) -> None:
    name, data = key(), file.read_bytes()
    store.put(file, name, content_type="audio/mpeg")
    segment = Segment(partial(store.open_source, name, len(data)), len(data))
    resource = Resource((segment,), "audio/mpeg", '"tag"', now())
    sent: list[list[tuple[int, int]]] = []

    def on_sent(intervals: list[tuple[int, int]], final: bool) -> None:
        sent.append(intervals)

    async def body(headers: dict[str, str]) -> bytes:
        request = RequestFactory().get("/", headers=headers)
        response = await serve(request, resource, on_sent=on_sent)
        assert isinstance(response, MediaResponse)
        return b"".join([chunk async for chunk in response])

    assert async_to_sync(body)({}) == data
    assert async_to_sync(body)({"Range": "bytes=262100-262200"}) == data[262100:262201]
    assert sent == [[(0, len(data))], [(262100, 262201)]]


def test_what_is_missing_says_so(store: Storage) -> None:
    name = key()
    with pytest.raises(ObjectMissingError):
        store.size(name)
    with pytest.raises(ObjectMissingError), store.materialise(name):
        pass
    with pytest.raises(FileNotFoundError):
        read(store, name, 10, 0, 10)


def test_a_file_of_another_size_than_promised_is_not_opened(store: Storage, file: Path) -> None:
    name = key()
    store.put(file, name, content_type="audio/mpeg")
    with pytest.raises(OSError, match="bytes, not"):
        read(store, name, file.stat().st_size + 1, 0, 1)


def test_parts_become_the_whole_file(store: Storage, upload: MultipartUpload) -> None:
    first, second = content(PART_BYTES), b"the end"
    assert send_part(store, upload, 2, second) == 200
    assert [part.number for part in store.list_parts(upload)] == [2]
    assert send_part(store, upload, 1, first) == 200
    parts = listed(store, upload, first, second)
    assert [(part.number, part.size_bytes) for part in parts] == [(1, PART_BYTES), (2, 7)]
    whole = store.complete_multipart(upload, parts)
    assert whole == upload.key
    assert store.size(whole) == PART_BYTES + 7
    with store.materialise(whole) as path:
        assert path.read_bytes() == first + second


def test_completing_twice_gives_the_same_file(store: Storage, upload: MultipartUpload) -> None:
    send_part(store, upload, 1, b"all of it")
    parts = listed(store, upload, b"all of it")
    assert store.complete_multipart(upload, parts) == store.complete_multipart(upload, parts)
    assert store.size(upload.key) == 9


def test_a_part_sent_again_is_there_once(store: Storage, upload: MultipartUpload) -> None:
    assert send_part(store, upload, 1, b"the same") == 200
    assert send_part(store, upload, 1, b"the same") == 200
    parts = listed(store, upload, b"the same")
    with store.materialise(store.complete_multipart(upload, parts)) as path:
        assert path.read_bytes() == b"the same"


def test_a_part_that_does_not_match_its_checksum_is_refused(
    store: Storage, upload: MultipartUpload
) -> None:
    target = store.part_target(
        upload, number=1, size_bytes=4, checksum_sha256=checksum(b"good"), lifetime_seconds=300
    )
    assert send(target, b"evil") == 400
    assert store.list_parts(upload) == []


def test_an_expired_address_takes_no_part(store: Storage, upload: MultipartUpload) -> None:
    with time_machine.travel(now() - timedelta(seconds=301)):
        target = store.part_target(
            upload, number=1, size_bytes=4, checksum_sha256=checksum(b"late"), lifetime_seconds=300
        )
    assert target.expires_at < now()
    assert send(target, b"late") == 403


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda parts: [], id="none"),
        pytest.param(lambda parts: parts[:1], id="one left out"),
        pytest.param(lambda parts: parts[::-1], id="in another order"),
        pytest.param(lambda parts: [*parts, replace(parts[0], number=3)], id="one too many"),
        pytest.param(lambda parts: [parts[0], replace(parts[1], etag='"other"')], id="other etag"),
        pytest.param(lambda parts: [parts[0], replace(parts[1], size_bytes=8)], id="other size"),
    ],
)
def test_a_list_of_parts_that_is_not_what_arrived_is_refused(
    store: Storage, upload: MultipartUpload, spoil: object
) -> None:
    first, second = content(PART_BYTES), b"the end"
    send_part(store, upload, 1, first)
    send_part(store, upload, 2, second)
    parts = listed(store, upload, first, second)
    with pytest.raises(PartMismatchError):
        store.complete_multipart(upload, spoil(parts))  # type: ignore[operator]
    assert listed(store, upload, first, second) == parts
    assert not store.exists(upload.key)


def test_an_aborted_upload_is_gone(store: Storage, upload: MultipartUpload) -> None:
    send_part(store, upload, 1, b"never mind")
    store.abort_multipart(upload)
    store.abort_multipart(upload)
    with pytest.raises(NoSuchUploadError):
        store.list_parts(upload)
    with pytest.raises(NoSuchUploadError):
        store.complete_multipart(upload, [Part(1, 10, "", "")])
    assert send_part(store, upload, 1, b"too late") == 404
