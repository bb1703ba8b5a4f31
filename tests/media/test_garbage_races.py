"""Collecting while somebody stores the same contents: two transactions, each order."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from PIL import Image as Pictures

from apps.core.clock import now
from apps.core.hashing import sha256_of_file
from apps.media import garbage
from apps.media.image_store import store_image
from apps.media.models import Asset, Image, StrayObject
from apps.media.processing import process_asset
from apps.media.storage import Storage
from tests.factories import AssetFactory, EpisodeFactory, OrganizationFactory, ShowFactory
from tests.media.sounds import make_mp3
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_valkey")]


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], object]], Future[object]]]:
    """Runs something in a thread with a database connection of its own."""
    with ThreadPoolExecutor() as pool:

        def run(work: Callable[[], object]) -> Future[object]:
            def run_and_hang_up() -> object:
                try:
                    return work()
                finally:
                    connection.close()

            return pool.submit(run_and_hang_up)

        yield run


def waiters() -> int:
    """How many transactions wait for somebody else's object or row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        (count,) = cursor.fetchone()
        return int(count)


def collect() -> None:
    garbage.collect_garbage(now(), tell=print)


def note_as_overdue(key: str) -> None:
    long_ago = now() - 2 * settings.GARBAGE_GRACE
    StrayObject.objects.create(key=key, size_bytes=1, unreferenced_since=long_ago)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return make_mp3(tmp_path / "song.mp3")


@pytest.fixture
def incoming(disk_store: Storage, song: Path) -> Asset:
    """An upload whose contents lie in the store already, as garbage that is due."""
    key = f"originals/{'0' * 8}-0000-0000-0000-{'0' * 12}"
    disk_store.put(song, key, content_type="audio/mpeg")
    disk_store.put(song, served_key(song), content_type="audio/mpeg")
    note_as_overdue(served_key(song))
    asset: Asset = AssetFactory(
        storage_key=key, rendition=None, status="pending", size_bytes=song.stat().st_size
    )
    EpisodeFactory(audio=None, status="draft", incoming_audio=asset)
    return asset


def served_key(song: Path) -> str:
    sha256 = sha256_of_file(song)
    return f"renditions/{sha256[:2]}/{sha256}.mp3"


def is_served(asset: Asset, store: Storage) -> bool:
    rendition = Asset.objects.get(pk=asset.pk).rendition
    return rendition is not None and store.size(rendition.storage_key) == rendition.size_bytes


def test_a_collection_waits_for_a_row_that_is_about_to_name_the_object(
    disk_store: Storage, incoming: Asset, beside: Callable[..., Future[object]]
) -> None:
    is_named, may_commit = threading.Event(), threading.Event()

    def pause(asset: Asset) -> None:
        is_named.set()
        assert may_commit.wait(30)

    def prepare() -> bool:
        return process_asset(incoming.pk, on_progress=lambda *_: None, on_ready=pause)

    preparing = beside(prepare)
    assert is_named.wait(30)
    collecting = beside(collect)
    wait_until(lambda: waiters() == 1)
    may_commit.set()
    assert preparing.result(30)
    collecting.result(30)
    assert is_served(incoming, disk_store)
    assert not StrayObject.objects.exists()


def test_a_file_whose_object_is_being_collected_is_stored_again(
    disk_store: Storage,
    incoming: Asset,
    song: Path,
    beside: Callable[..., Future[object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_deleting, may_delete = threading.Event(), threading.Event()
    delete = type(disk_store).delete

    def delete_slowly(store: Storage, key: str) -> None:
        if key == served_key(song):
            is_deleting.set()
            assert may_delete.wait(30)
        delete(store, key)

    monkeypatch.setattr(type(disk_store), "delete", delete_slowly)
    collecting = beside(collect)
    assert is_deleting.wait(30)
    preparing = beside(
        lambda: process_asset(incoming.pk, on_progress=lambda *_: None, on_ready=lambda _: None)
    )
    wait_until(lambda: waiters() == 1)
    may_delete.set()
    collecting.result(30)
    assert preparing.result(30)
    assert is_served(incoming, disk_store)


def cover() -> bytes:
    buffer = BytesIO()
    Pictures.new("RGB", (1400, 1400), "tomato").save(buffer, "PNG")
    return buffer.getvalue()


def are_stored(image: Image, store: Storage) -> bool:
    return all(store.exists(variant["key"]) for variant in image.variants.values())


def test_a_picture_that_is_chosen_again_while_it_is_collected_is_there_afterwards(
    disk_store: Storage, beside: Callable[..., Future[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = OrganizationFactory()
    old = store_image(organization_id=organization.pk, content=cover())
    Image.objects.update(unused_since=now() - 2 * settings.GARBAGE_GRACE)
    is_deleting, may_delete = threading.Event(), threading.Event()
    delete = type(disk_store).delete

    def delete_slowly(store: Storage, key: str) -> None:
        is_deleting.set()
        assert may_delete.wait(30)
        delete(store, key)

    monkeypatch.setattr(type(disk_store), "delete", delete_slowly)
    collecting = beside(collect)
    assert is_deleting.wait(30)
    choosing = beside(lambda: store_image(organization_id=organization.pk, content=cover()))
    wait_until(lambda: waiters() == 1)
    may_delete.set()
    collecting.result(30)
    new = choosing.result(30)
    assert isinstance(new, Image)
    assert new.pk != old.pk
    assert are_stored(new, disk_store)


def test_a_picture_that_a_show_is_about_to_take_is_not_collected(
    disk_store: Storage, beside: Callable[..., Future[object]]
) -> None:
    organization = OrganizationFactory()
    image = store_image(organization_id=organization.pk, content=cover())
    Image.objects.update(unused_since=now() - 2 * settings.GARBAGE_GRACE)
    with transaction.atomic():
        assert store_image(organization_id=organization.pk, content=cover()) == image
        collecting = beside(collect)
        wait_until(lambda: waiters_elsewhere() == 1)
        show = ShowFactory(organization=organization, artwork=image)
    collecting.result(30)
    show.refresh_from_db()
    assert are_stored(show.artwork, disk_store)


def waiters_elsewhere() -> int:
    """The same from inside a transaction, whose view of the activity would stand still."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
    return waiters()


def test_two_collections_at_once_remove_each_thing_once(
    disk_store: Storage, tmp_path: Path, beside: Callable[..., Future[object]]
) -> None:
    (tmp_path / "x").write_bytes(b"x")
    for number in range(20):
        sha256 = hashlib.sha256(bytes([number])).hexdigest()
        key = f"renditions/{sha256[:2]}/{sha256}.mp3"
        disk_store.put(tmp_path / "x", key, content_type="audio/mpeg")
        note_as_overdue(key)
        AssetFactory(
            rendition=None,
            heartbeat_at=now() - timedelta(days=60),
            unused_since=now() - timedelta(days=60),
        )
    for running in [beside(collect), beside(collect)]:
        running.result(60)
    assert list(disk_store.list_objects("")) == []
    assert not Asset.objects.exists()
    assert not StrayObject.objects.exists()
