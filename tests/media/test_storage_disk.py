"""What only the folder store does: its own signed addresses, and files that survive a crash."""

import base64
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from apps.media.storage import MultipartUpload, NoSuchUploadError, Part, Storage, StorageError
from apps.media.storage.base import CHECKSUM_HEADER
from apps.media.storage.disk import DiskStorage
from hosting.data_plane import DataPlane
from tests.asgi import Reply, call

DATA = b"0123456789"
CHECKSUM = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
HEADERS = {"Content-Length": str(len(DATA)), CHECKSUM_HEADER: CHECKSUM}


@pytest.fixture
def folder(disk_store: Storage) -> DiskStorage:
    assert isinstance(disk_store, DiskStorage)
    return disk_store


@pytest.fixture
def upload(folder: DiskStorage) -> MultipartUpload:
    return folder.create_multipart(uuid.uuid4(), content_type="application/octet-stream")


def target(store: DiskStorage, upload: MultipartUpload, lifetime_seconds: int = 300) -> str:
    return store.part_target(
        upload,
        number=1,
        size_bytes=len(DATA),
        checksum_sha256=CHECKSUM,
        lifetime_seconds=lifetime_seconds,
    ).url


def put(url: str, headers: dict[str, str] | None = None, data: bytes = DATA) -> Reply:
    return call(DataPlane(), "PUT", url, HEADERS | (headers or {}), body=[data])


def changed(url: str, **query: str) -> str:
    """The same address with other query parameters."""
    parts = urlsplit(url)
    return parts._replace(query=urlencode(dict(parse_qsl(parts.query)) | query)).geturl()


def test_a_part_is_answered_with_its_tag_and_checksum(
    folder: DiskStorage, upload: MultipartUpload
) -> None:
    reply = put(target(folder, upload))
    assert reply.status == 200
    (part,) = folder.list_parts(upload)
    assert part == Part(1, len(DATA), reply.headers["etag"], reply.headers[CHECKSUM_HEADER])
    assert part.checksum_sha256 == CHECKSUM


@pytest.mark.parametrize(
    ("forge", "status", "code"),
    [
        (lambda url: changed(url, signature="x"), 403, "bad_signature"),
        (lambda url: changed(url, signature=""), 403, "bad_signature"),
        (lambda url: changed(url, size="11"), 403, "bad_signature"),
        (lambda url: changed(url, size="-10"), 403, "bad_signature"),
        (lambda url: changed(url, size="9" * 30), 403, "bad_signature"),
        (lambda url: changed(url, expires="9999999999"), 403, "bad_signature"),
        (lambda url: changed(url, expires="\u0661"), 403, "bad_signature"),
        (lambda url: url.partition("?")[0], 403, "bad_signature"),
        (lambda url: url.replace("/parts/1", "/parts/2"), 403, "bad_signature"),
        (lambda url: url.replace(url.split("/")[2], str(uuid.uuid4())), 403, "bad_signature"),
    ],
)
def test_an_address_that_was_not_given_out_takes_nothing(
    folder: DiskStorage, upload: MultipartUpload, forge: object, status: int, code: str
) -> None:
    reply = put(forge(target(folder, upload)))  # type: ignore[operator]
    assert_problem(reply, status, code)
    assert folder.list_parts(upload) == []


@pytest.mark.parametrize(
    ("headers", "data", "status", "code"),
    [
        ({"Content-Length": "11"}, DATA + b"x", 400, "wrong_length"),
        ({"Content-Length": "9"}, DATA[:9], 400, "wrong_length"),
        ({"Content-Length": ""}, DATA, 411, "length_required"),
        ({"Content-Length": "010"}, DATA, 400, "wrong_length"),
        ({CHECKSUM_HEADER: ""}, DATA, 400, "checksum_required"),
        ({CHECKSUM_HEADER: "nonsense"}, DATA, 400, "part_refused"),
        ({}, b"9876543210", 400, "part_refused"),
        ({}, DATA + b"x", 400, "part_refused"),  # a server that did not hold the client to it
        ({}, DATA[:9], 400, "part_refused"),
    ],
)
def test_a_part_other_than_announced_is_refused_and_leaves_nothing(
    folder: DiskStorage,
    upload: MultipartUpload,
    headers: dict[str, str],
    data: bytes,
    status: int,
    code: str,
) -> None:
    assert_problem(put(target(folder, upload), headers, data), status, code)
    assert list(folder.parts_folder(upload.upload_id).iterdir()) == []


def assert_problem(reply: Reply, status: int, code: str) -> None:
    """RFC 9457, with a sentence that tells what to do."""
    assert reply.headers["content-type"] == "application/problem+json"
    problem = json.loads(reply.body)
    assert (reply.status, problem["status"], problem["code"]) == (status, status, code)
    assert problem["detail"].endswith(".")


def test_an_address_can_be_used_until_it_expires(
    folder: DiskStorage, upload: MultipartUpload
) -> None:
    assert put(target(folder, upload)).status == 200
    assert_problem(put(target(folder, upload, lifetime_seconds=-1)), 403, "expired")


def test_a_part_sent_again_takes_the_place_of_the_first(
    folder: DiskStorage, upload: MultipartUpload
) -> None:
    for data in (b"first try", b"second try"):
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        url = folder.part_target(
            upload,
            number=1,
            size_bytes=len(data),
            checksum_sha256=checksum,
            lifetime_seconds=300,
        ).url
        headers = {"Content-Length": str(len(data)), CHECKSUM_HEADER: checksum}
        assert put(url, headers, data).status == 200
    (part,) = folder.list_parts(upload)
    assert part.checksum_sha256 == checksum
    assert len(list(folder.parts_folder(upload.upload_id).iterdir())) == 1


def test_parts_are_only_put(folder: DiskStorage, upload: MultipartUpload) -> None:
    reply = call(DataPlane(), "GET", target(folder, upload))
    assert_problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "PUT"


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(
    folder: DiskStorage, upload: MultipartUpload
) -> None:
    async def gone(scope: object, receive: object, send: object) -> None:
        messages: Iterator[dict[str, object]] = iter(
            [
                {"type": "http.request", "body": DATA[:5], "more_body": True},
                {"type": "http.disconnect"},
            ]
        )

        async def receive_and_leave() -> dict[str, object]:
            return next(messages)

        await DataPlane()(scope, receive_and_leave, send)  # type: ignore[arg-type]

    assert call(gone, "PUT", target(folder, upload), HEADERS).status == 0
    assert list(folder.parts_folder(upload.upload_id).iterdir()) == []


def test_a_full_disk_is_said_to_be_one(
    folder: DiskStorage, upload: MultipartUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    assert_problem(put(target(folder, upload)), 507, "storage_full")
    monkeypatch.undo()
    assert list(folder.parts_folder(upload.upload_id).iterdir()) == []


def test_of_two_files_of_one_part_the_newer_holds(
    folder: DiskStorage, upload: MultipartUpload
) -> None:
    """A process that is killed while it replaces a part leaves both."""
    parts = folder.parts_folder(upload.upload_id)
    for age, data in [(10, b"old"), (20, b"new and longer"), (15, b"between")]:
        file = parts / f"1-{len(data)}-{hashlib.sha256(data).hexdigest()}"
        file.write_bytes(data)
        os.utime(file, (age, age))
    (part,) = folder.list_parts(upload)
    assert part.size_bytes == len(b"new and longer")
    assert folder.path(folder.complete_multipart(upload, [part])).read_bytes() == b"new and longer"


def test_what_a_killed_process_left_half_written_is_no_part(
    folder: DiskStorage, upload: MultipartUpload
) -> None:
    (folder.parts_folder(upload.upload_id) / ".1-abcdef").write_bytes(b"half")
    assert folder.list_parts(upload) == []


def test_a_failed_copy_leaves_neither_the_object_nor_a_piece(
    folder: DiskStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)

    def fsync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        folder.put(file, "renditions/ab/cd.mp3", content_type="audio/mpeg")
    assert list(folder.path("renditions/ab").iterdir()) == []


def test_a_truncated_object_is_replaced(folder: DiskStorage, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    folder.put(file, "renditions/ab/cd.mp3", content_type="audio/mpeg")
    folder.path("renditions/ab/cd.mp3").write_bytes(DATA[:3])
    folder.put(file, "renditions/ab/cd.mp3", content_type="audio/mpeg")
    assert folder.path("renditions/ab/cd.mp3").read_bytes() == DATA


def test_a_stored_file_can_be_read_by_other_services(folder: DiskStorage, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(DATA)
    file.chmod(0o600)
    folder.put(file, "renditions/ab/cd.mp3", content_type="audio/mpeg")
    assert folder.path("renditions/ab/cd.mp3").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../secret_key", "a/../../b", "a/.hidden"])
def test_a_key_never_leads_out_of_the_folder(folder: DiskStorage, key: str) -> None:
    with pytest.raises(StorageError):
        folder.path(key)


def test_a_finished_upload_leaves_no_parts(folder: DiskStorage, upload: MultipartUpload) -> None:
    put(target(folder, upload))
    folder.complete_multipart(upload, folder.list_parts(upload))
    assert list(folder.parts_folder(upload.upload_id).parent.iterdir()) == []
    with pytest.raises(NoSuchUploadError):
        folder.list_parts(upload)
