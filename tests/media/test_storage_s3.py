"""What only the S3 store does: addresses that a browser can use, and how failures are told."""

import http.client
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.conf import LazySettings

from apps.media.storage import MultipartUpload, Storage, StorageError, storage
from tests.media.servers import S3Server

pytestmark = pytest.mark.s3


@pytest.fixture
def upload(s3_store: Storage) -> MultipartUpload:
    return s3_store.create_multipart(uuid.uuid4(), content_type="application/octet-stream")


def read_all(store: Storage, key: str, size_bytes: int) -> bytes:
    async def scenario() -> bytes:
        source = await store.open_source(key, size_bytes)
        try:
            return b"".join([chunk async for chunk in source.read(0, size_bytes)])
        finally:
            await source.close()

    return async_to_sync(scenario)()


def query(store: Storage, upload: MultipartUpload) -> dict[str, list[str]]:
    target = store.part_target(
        upload, number=3, size_bytes=10, checksum_sha256="c3Vt", lifetime_seconds=120
    )
    return parse_qs(urlsplit(target.url).query)


def test_an_address_binds_number_upload_size_checksum_and_time(
    s3_store: Storage, upload: MultipartUpload
) -> None:
    found = query(s3_store, upload)
    assert found["partNumber"] == ["3"]
    assert found["uploadId"] == [upload.token]
    assert found["X-Amz-Expires"] == ["120"]
    assert set(found["X-Amz-SignedHeaders"][0].split(";")) == {
        "content-length",
        "host",
        "x-amz-checksum-sha256",
    }


def test_an_address_asks_for_no_header_that_the_client_is_not_told(
    s3_store: Storage, upload: MultipartUpload
) -> None:
    assert not {name.lower() for name in query(s3_store, upload)} & {
        "x-amz-checksum-crc32",
        "x-amz-sdk-checksum-algorithm",
    }


def test_a_part_of_another_size_is_refused(
    s3: S3Server, s3_store: Storage, upload: MultipartUpload
) -> None:
    target = s3_store.part_target(
        upload, number=1, size_bytes=10, checksum_sha256="c3Vt", lifetime_seconds=120
    )
    url = urlsplit(target.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.request("PUT", f"{url.path}?{url.query}", b"eleven byte", target.headers)
    assert connection.getresponse().status == 403
    connection.close()


def test_a_bucket_that_is_away_is_an_oserror(s3_store: Storage, settings: LazySettings) -> None:
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    storage.cache_clear()
    with pytest.raises(StorageError, match="cannot be read from the bucket"):
        read_all(storage(), "renditions/ab/cd.mp3", 10)
