"""What only the S3 store does: addresses that a browser can use, and how failures are told."""

import asyncio
import http.client
import uuid
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.conf import LazySettings

from apps.core.clock import now
from apps.media.storage import MultipartUpload, Presigning, Storage, StorageError, storage
from apps.media.storage.presigned import PresignedAddresses, Wanted
from apps.media.storage.s3 import S3Storage
from tests.media.served import content
from tests.media.servers import S3Server
from tests.waiting import standstill

pytestmark = pytest.mark.s3

SONG_BYTES = 8 * 1024 * 1024


@pytest.fixture
def upload(s3_store: Storage) -> MultipartUpload:
    return s3_store.create_multipart(uuid.uuid4(), content_type="application/octet-stream")


def read_all(store: Storage, key: str, size_bytes: int) -> bytes:
    async def scenario() -> bytes:
        source = await store.open_source(key, size_bytes)
        try:
            return b"".join([bytes(chunk) async for chunk in source.read(0, size_bytes)])
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


@pytest.fixture
def song(s3_store: Storage, tmp_path: Path) -> str:
    """The key of a stored object of SONG_BYTES."""
    (tmp_path / "song.mp3").write_bytes(content(SONG_BYTES))
    key = f"renditions/ab/{uuid.uuid4().hex}.mp3"
    s3_store.put(tmp_path / "song.mp3", key, content_type="audio/mpeg")
    return key


def get(address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What a listener's player gets at this address."""
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.request("GET", f"{url.path}?{url.query}", headers=headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data


def test_an_address_gives_ranges_and_bears_the_headers_that_were_asked_for(
    s3_store: Storage, song: str
) -> None:
    assert isinstance(s3_store, Presigning)
    address = s3_store.presigned_get(
        song,
        lifetime_seconds=600,
        content_type="audio/x-test",
        filename='Épisode "1".mp3',
        cache_control="private, max-age=60",
    )
    status, headers, data = get(address, Range="bytes=10-19")
    assert (status, data) == (206, content(SONG_BYTES)[10:20])
    assert headers["content-range"] == f"bytes 10-19/{SONG_BYTES}"
    assert headers["content-type"] == "audio/x-test"
    assert headers["content-disposition"] == "inline; filename*=utf-8''%C3%89pisode%20%221%22.mp3"
    assert headers["cache-control"] == "private, max-age=60"


def test_an_address_is_handed_out_again_and_ends(s3_store: Storage, song: str) -> None:
    assert isinstance(s3_store, Presigning)
    with time_machine.travel(now() - timedelta(seconds=1201), tick=False) as clock:
        ended = s3_store.presigned_get(song, lifetime_seconds=600)
        assert parse_qs(urlsplit(ended).query)["X-Amz-Expires"] == ["1200"]
        clock.shift(599)
        assert async_to_sync(s3_store.apresigned_get)(song, lifetime_seconds=600) == ended
    assert get(ended)[0] == 403
    assert get(s3_store.presigned_get(song, lifetime_seconds=600))[0] == 200


def test_a_folder_has_no_addresses_to_hand_out(disk_store: Storage) -> None:
    assert not isinstance(disk_store, Presigning)


def test_a_store_without_credentials_says_so(
    s3_store: Storage, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = None
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    storage.cache_clear()
    with pytest.raises(StorageError, match="no address can be signed"):
        read_all(storage(), "renditions/ab/cd.mp3", 10)


def test_an_address_that_ended_is_replaced_unnoticed(s3_store: Storage, song: str) -> None:
    """Credentials of a role end before their addresses say so; here the address ends itself."""
    assert isinstance(s3_store, S3Storage)
    sign = s3_store._addresses._sign
    with time_machine.travel(now() - timedelta(hours=3), tick=False):
        ended = sign(Wanted(song), 7200)
    given = iter([ended])
    s3_store._addresses = PresignedAddresses(
        lambda wanted, seconds: next(given, None) or sign(wanted, seconds)
    )
    assert read_all(s3_store, song, SONG_BYTES) == content(SONG_BYTES)


def test_two_hundred_listeners_who_stop_cost_a_bounded_memory(s3_store: Storage, song: str) -> None:
    """Were all read ahead, they would cost 200 times the file: 1.6 GB."""
    process = psutil.Process()
    closing = AsyncExitStack()

    async def listen() -> None:
        source = await s3_store.open_source(song, SONG_BYTES)
        closing.push_async_callback(source.close)
        pieces = source.read(0, SONG_BYTES)
        closing.push_async_callback(pieces.aclose)
        await anext(pieces)

    async def scenario() -> int:
        async with closing:
            await listen()
            before = int(process.memory_info().rss)
            await asyncio.gather(*(listen() for _ in range(200)))
            return await standstill(lambda: int(process.memory_info().rss)) - before

    grown = async_to_sync(scenario)()
    assert 200 * 16 * 1024 < grown < 200 * 640 * 1024
