"""The same job on a bucket: uploaded straight to a real S3 service, served exactly, and private."""

import email
import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import feedparser
import httpx2
import pytest
from botocore.config import Config
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.steps import (
    Line,
    begin_episode,
    create_show,
    drop,
    enclosure_of,
    publish,
    sign_up,
    upload_with_interruptions,
    wait_for_progress,
)
from tests.instance import PROJECT, Instance, running_instance, wait_for
from tests.media.servers import S3Server
from tests.media.sounds import make_mp3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.browser, pytest.mark.s3]

PART_BYTES = 5 * 1024 * 1024  # S3 takes nothing smaller, but for the last part
LINE = 6_000_000  # bytes a second: slow enough to interrupt


@pytest.fixture(scope="module")
def instance(bucket: S3Server) -> Iterator[Instance]:
    """An instance that keeps its files in the bucket, which is set up as an operator does it."""
    with running_instance(
        "--no-demo",
        LONGWAVE_UPLOAD_PART_BYTES=str(PART_BYTES),
        **bucket.environment,
    ) as running:
        assert "Strangers can't read the bucket." in manage(running, "configure_bucket")
        yield running


def manage(instance: Instance, *command: str) -> str:
    """What a management command says on the running instance."""
    environment = instance.environment | {
        "LONGWAVE_DATA": str(instance.data),
        "LONGWAVE_BASE_URL": instance.origin,
    }
    inherited = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def client(bucket: S3Server) -> "S3Client":
    return boto3.session.Session().client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name="us-east-1",
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine minutes at the highest bit rate: five parts."""
    return make_mp3(
        tmp_path_factory.mktemp("recordings") / "harbour.mp3", seconds=570, bitrate=320_000
    )


def keys(client: "S3Client") -> list[str]:
    return [found["Key"] for found in client.list_objects_v2(Bucket="media").get("Contents", [])]


def open_uploads(client: "S3Client") -> list[str]:
    listed = client.list_multipart_uploads(Bucket="media").get("Uploads", [])
    return [upload["Key"] for upload in listed]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> Reply:
    """One request and what really came back, undecoded."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, headers=headers or {})
        answer = connection.getresponse()
        return Reply(answer.status, answer.msg, answer.read())
    finally:
        connection.close()


def check_ranges(url: str, content: bytes) -> None:
    """Every byte and every refusal is as from a folder."""
    size, middle = len(content), PART_BYTES  # where two parts were joined
    whole = ask(url)
    etag = whole.headers["ETag"]
    assert (whole.status, whole.body) == (200, content)
    assert etag.startswith('"')
    for asked, first, stop in [
        ("0-0", 0, 1),
        ("0-65535", 0, 65536),
        (f"{middle - 10}-{middle + 9}", middle - 10, middle + 10),
        (f"{size - 100}-", size - 100, size),
        ("-1000", size - 1000, size),
        (f"5-{size * 2}", 5, size),
    ]:
        for condition in ({}, {"If-Range": etag}):
            part = ask(url, {"Range": f"bytes={asked}", **condition})
            assert part.status == 206, asked
            assert part.headers["Content-Range"] == f"bytes {first}-{stop - 1}/{size}"
            assert part.body == content[first:stop], asked
    changed = ask(url, {"Range": "bytes=0-9", "If-Range": '"another file"'})
    assert (changed.status, changed.body) == (200, content)
    beyond = ask(url, {"Range": f"bytes={size}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert ask(url, {"If-None-Match": etag}).status == 304
    assert ask(url, {"If-Match": '"another file"', "Range": "bytes=0-9"}).status == 412
    head = ask(url, method="HEAD")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(size), b"")
    several = ask(url, {"Range": f"bytes=0-9,{middle}-{middle + 99},-5"})
    assert several.status == 206
    message = email.message_from_bytes(
        f"Content-Type: {several.headers['Content-Type']}\r\n\r\n".encode() + several.body
    )
    assert message.is_multipart()
    bodies = [
        part.split(b"\r\n\r\n", 1)[1]
        for part in several.body.split(b"\r\n--" + str(message.get_boundary()).encode())[:-1]
    ]
    assert bodies == [content[:10], content[middle : middle + 100], content[-5:]]


def check_cors(bucket: S3Server, origin: str) -> None:
    """Pages of ours may send parts, others may not."""
    for asking, answer in [(origin, origin), ("https://elsewhere.example", None)]:
        allowed = httpx2.options(
            f"{bucket.endpoint}/{bucket.bucket}/originals/x",
            headers={
                "Origin": asking,
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "x-amz-checksum-sha256",
            },
        )
        assert allowed.headers.get("Access-Control-Allow-Origin") == answer


def check_private(bucket: S3Server, client: "S3Client", episode: str) -> None:
    """A draft, a forged preview and the bucket's own addresses are closed to strangers."""
    assert ask(episode).status == 404
    assert ask(f"{episode}?preview=forged").status == 403
    for key in keys(client):
        assert ask(f"{bucket.endpoint}/{bucket.bucket}/{key}").status == 403, key


def test_from_an_upload_straight_to_the_bucket_to_a_download(
    instance: Instance,
    bucket: S3Server,
    client: "S3Client",
    context: BrowserContext,
    page: Page,
    recording: Path,
) -> None:
    check_cors(bucket, instance.origin)
    sent_to: set[str] = set()
    page.on(
        "request",
        lambda request: (
            sent_to.add(urlsplit(request.url).netloc) if request.method == "PUT" else None
        ),
    )
    sign_up(page)
    create_show(page)
    begin_episode(page)
    arrived = upload_with_interruptions(
        context, page, recording, bytes_per_second=LINE, has_checksums_after_reload=False
    )
    assert sent_to == {urlsplit(bucket.endpoint).netloc}
    assert set(arrived) == set(range(1, -(-recording.stat().st_size // PART_BYTES) + 1))
    assert open_uploads(client) == []
    # The original became the rendition: it is kept once.
    assert [key.split("/")[0] for key in keys(client) if "/" in key and ".mp3" in key] == [
        "renditions"
    ]

    content = recording.read_bytes()
    preview = instance.origin + str(page.locator("audio-upload audio").first.get_attribute("src"))
    draft = preview.partition("?")[0]
    check_private(bucket, client, draft)
    heard = ask(preview, {"Range": "bytes=100-199"})
    assert (heard.status, heard.body) == (206, content[100:200])
    assert "private" in heard.headers["Cache-Control"]

    publish(page)
    enclosure = enclosure_of(instance)
    assert int(enclosure.length) == len(content)
    assert urlsplit(enclosure.href).path == urlsplit(draft).path
    check_ranges(enclosure.href, content)
    cover = ask(feedparser.parse(f"{instance.origin}/feeds/harbour-lights.xml").feed.image.href)
    assert (cover.status, cover.headers["Content-Type"]) == (200, "image/jpeg")


def begin_upload(context: BrowserContext, page: Page, file: Path) -> Line:
    """A second upload, stopped at the door: at least one part has arrived, others have not."""
    page.goto("/studio/")
    page.get_by_role("link", name=re.compile("Harbour Lights")).first.click()
    begin_episode(page)
    line = Line(context, page)
    line.be(bytes_per_second=LINE)
    drop(page, file)
    wait_for_progress(page, 25)
    return line


@pytest.fixture
def signed_in(page: Page) -> Page:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").first.fill("a long enough secret")
    page.locator("main form").get_by_role("button").last.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def test_a_cancelled_upload_leaves_nothing_in_the_bucket(
    context: BrowserContext, signed_in: Page, client: "S3Client", recording: Path
) -> None:
    begin_upload(context, signed_in, recording)
    assert len(open_uploads(client)) == 1
    signed_in.get_by_role("button", name="Cancel").click()
    signed_in.get_by_role("button", name="Stop", exact=True).click()
    wait_for(lambda: open_uploads(client) == [], what="the abort")


def test_an_upload_that_expires_leaves_nothing_in_the_bucket(
    instance: Instance,
    context: BrowserContext,
    signed_in: Page,
    client: "S3Client",
    recording: Path,
) -> None:
    begin_upload(context, signed_in, recording)
    signed_in.get_by_role("button", name="Pause").click()
    assert len(open_uploads(client)) == 1
    manage(
        instance,
        "shell",
        "-c",
        "from apps.core.clock import now; from apps.media import uploads;"
        "from apps.media.models import Upload;"
        "Upload.objects.filter(status='open').update(expires_at=now());"
        "assert uploads.expire_uploads() == 1",
    )
    assert open_uploads(client) == []
    assert not [key for key in keys(client) if key.startswith("originals/")]
