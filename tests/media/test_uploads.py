"""The whole way of a file on each kind of store: sent in parts, continued, joined, prepared."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.media.models import Asset
from apps.media.processing import process_asset
from apps.media.storage import Storage
from tests.conftest import People
from tests.media.sounds import make_sound
from tests.uploading import Sender

MIB = 1024**2


@pytest.mark.django_db(transaction=True)
def test_a_file_goes_all_the_way_on_every_store(
    store: Storage, tmp_path: Path, people: People, settings: LazySettings
) -> None:
    settings.UPLOAD_PART_BYTES = 5 * MIB  # the smallest part that S3 takes
    path = make_sound(tmp_path / "a.wav", codec="pcm_s16le", bitrate=None, seconds=40)
    content = path.read_bytes()
    sender = Sender(people.client("editor"), people.organization.id, content, "a.wav", "f1")
    sender.open()
    assert sender.upload["part_count"] == 2
    assert [reply.status for reply in sender.send(2)] == [200]
    assert sender.complete().json()["code"] == "parts_differ"
    sender.open()
    assert [part["number"] for part in sender.upload["parts"]] == [2]
    # Some S3 services don't list checksums; a client then sends the part again.
    known = sender.upload["parts"][0]["checksum_sha256"]
    assert known in ("", sender.claims()[1]["checksum_sha256"])
    sender.send(1)
    first = sender.complete()
    assert first.status_code == 200
    assert sender.complete().json() == first.json()

    asset = Asset.objects.get()
    assert store.size(asset.storage_key) == len(content)
    assert process_asset(asset.id, on_progress=lambda *_: None, on_ready=lambda _: None)
    asset.refresh_from_db()
    rendition = asset.rendition
    assert rendition is not None, asset.error_message
    assert store.size(rendition.storage_key) == rendition.size_bytes
    assert rendition.duration_ms == pytest.approx(40_000, abs=60)


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_upload_leaves_nothing_on_any_store(
    store: Storage, people: People, settings: LazySettings
) -> None:
    settings.UPLOAD_PART_BYTES = 5 * MIB
    sender = Sender(people.client("editor"), people.organization.id, bytes(6 * MIB), "a.wav")
    sender.open()
    sender.send(1)
    assert sender.client.delete(f"/api/v1/uploads/{sender.upload['id']}/").status_code == 204
    assert sender.state()["parts"] == []
    assert sender.complete().json()["code"] == "upload_closed"
