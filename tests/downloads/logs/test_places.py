"""Logs in a real bucket."""

import gzip
from collections.abc import Callable
from datetime import timedelta

import boto3
import pytest
from django.conf import LazySettings, settings

from apps.core.clock import now
from apps.downloads.logs.models import FileState, LogFile, LogSource
from apps.downloads.logs.places import BucketPlace
from tests.downloads.logs import writing
from tests.downloads.logs.conftest import MemoryCounter, Sweep
from tests.downloads.logs.writing import request, v1_file
from tests.media.servers import S3Server

pytestmark = pytest.mark.s3

type MakeSource = Callable[..., LogSource]
type Put = Callable[[str, bytes], None]


@pytest.fixture(autouse=True)
def _noon() -> None:
    """The real time: a signature from another day is refused."""


@pytest.fixture
def put(s3: S3Server) -> Put:
    """Store an object."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name="us-east-1",
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
    )

    def store(key: str, content: bytes) -> None:
        client.put_object(Bucket=s3.bucket, Key=key, Body=content)

    return store


def fresh(path: str, number: int) -> writing.Said:
    """A request of a minute ago."""
    began_at_ms = int((now() - timedelta(minutes=1)).timestamp() * 1000)
    return request(path, number, ip=f"198.51.100.{number}", began_at_ms=began_at_ms)


def test_a_prefix_of_a_bucket_is_followed(
    make_source: MakeSource,
    sweep: Sweep,
    counter: MemoryCounter,
    put: Put,
    logs_bucket: str,
    path: str,
) -> None:
    prefix = "AWSLogs/123456789012/CloudFront/"
    source = make_source(place=f"s3://{logs_bucket}/{prefix}")
    put(f"{prefix}E1.2026-10-14-12.a.gz", gzip.compress(v1_file(fresh(path, n) for n in range(5))))
    put("elsewhere/E1.gz", gzip.compress(v1_file([fresh(path, 99)])))
    swept = sweep(source)
    assert (swept.problems, swept.read.hits, swept.is_complete) == ([], 5, True)
    # Without an end to its last line: an object is whole.
    put(f"{prefix}E1.2026-10-14-11.b", v1_file(fresh(path, n) for n in range(5, 8)).rstrip())
    assert sweep(source).read.hits == 3
    assert sweep(source).files == 0
    assert counter.downloads == 8
    assert list(settings.SCRATCH_ROOT.iterdir()) == []


def test_an_object_that_was_written_again_with_more_in_it_is_read_on(
    make_source: MakeSource,
    sweep: Sweep,
    counter: MemoryCounter,
    put: Put,
    logs_bucket: str,
    path: str,
) -> None:
    source = make_source(place=f"s3://{logs_bucket}/again/")
    rows = [fresh(path, number) for number in range(40)]
    put("again/log", v1_file(rows[:30]))
    sweep(source)
    put("again/log", v1_file(rows))
    assert sweep(source).read.hits == 10
    put("again/log", v1_file(rows[35:]))  # something else under the same name
    sweep(source)
    assert LogFile.objects.filter(state=FileState.GONE).count() == 1
    assert len(set(counter.ids)) == 40


def test_objects_are_deleted_when_the_source_says_so(
    make_source: MakeSource, sweep: Sweep, put: Put, logs_bucket: str, path: str
) -> None:
    source = make_source(place=f"s3://{logs_bucket}/old/", delete_after_days=7)
    put("old/log", v1_file([fresh(path, 1)]))
    sweep(source)
    LogFile.objects.update(read_at=source.created_at - timedelta(days=8))
    assert sweep(source).deleted == 1
    assert sweep(source).files == 0
    assert LogFile.objects.get().state == FileState.GONE


def test_an_object_that_was_written_again_is_not_deleted_for_the_old_one(
    make_source: MakeSource, sweep: Sweep, put: Put, logs_bucket: str, path: str
) -> None:
    source = make_source(place=f"s3://{logs_bucket}/new/", delete_after_days=7)
    rows = [fresh(path, 1), fresh(path, 2)]
    put("new/log", v1_file(rows[:1]))
    sweep(source)
    LogFile.objects.update(read_at=source.created_at - timedelta(days=8))
    put("new/log", v1_file(rows))
    assert sweep(source, has_to_stop=lambda: True).deleted == 0
    assert sweep(source).read.hits == 1


def test_an_object_that_goes_between_listing_and_reading_is_no_problem(
    make_source: MakeSource,
    sweep: Sweep,
    put: Put,
    logs_bucket: str,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = make_source(place=f"s3://{logs_bucket}/going/")
    put("going/log", v1_file([fresh(path, 1)]))
    place = BucketPlace(logs_bucket, "going/")
    found = list(place.find())
    assert place.delete("going/log", found[0].version)
    assert place.delete("going/log", found[0].version)  # whether or not it is gone already
    monkeypatch.setattr(BucketPlace, "find", lambda place: iter(found))
    swept = sweep(source)
    assert (swept.problems, swept.is_complete) == ([], True)
    assert not LogFile.objects.exists()


def test_a_bucket_that_cannot_be_read_is_a_problem_and_no_accident(
    make_source: MakeSource, sweep: Sweep, logs_bucket: str, settings: LazySettings
) -> None:
    settings.LOGS_SECRET_ACCESS_KEY = "wrong"
    swept = sweep(make_source(place=f"s3://{logs_bucket}/x/"))
    assert "can't be listed" in swept.problems[0]
    assert "wrong" not in swept.problems[0]
    assert not swept.is_complete
