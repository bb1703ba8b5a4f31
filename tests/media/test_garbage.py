"""What is collected: only what nothing has used throughout the time of grace, on every store."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.conf import LazySettings
from django.core.management import call_command
from django.db import models

from apps.core.clock import now
from apps.downloads.models import Coverage
from apps.media import garbage, strays, tasks
from apps.media.models import (
    Asset,
    AssetStatus,
    Image,
    Rendition,
    StrayObject,
    Upload,
    UploadStatus,
)
from apps.media.storage import Storage
from podcasts.audio import receive_audio
from podcasts.models import Episode
from podcasts.services.trash import delete_episode, delete_show
from tests.factories import (
    AssetFactory,
    EpisodeFactory,
    ImageFactory,
    OrganizationFactory,
    RenditionFactory,
    ShowFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

GRACE = timedelta(days=7)
DAY = timedelta(days=1)
type Put = Callable[[str], str]


@pytest.fixture(autouse=True)
def _grace(settings: LazySettings) -> None:
    settings.GARBAGE_GRACE = GRACE


@pytest.fixture
def put(store: Storage, tmp_path: Path) -> Iterator[Put]:
    """Stores ten bytes under a key. What a test leaves in the bucket goes: others see it too."""
    stored: list[str] = []

    def put_ten_bytes(key: str) -> str:
        path = tmp_path / "ten"
        path.write_bytes(b"ten bytes!")
        store.put(path, key, content_type="audio/mpeg")
        stored.append(key)
        return key

    yield put_ten_bytes
    for key in stored:
        store.delete(key)


def rendition_key() -> str:
    sha256 = hashlib.sha256(uuid4().bytes).hexdigest()
    return f"renditions/{sha256[:2]}/{sha256}.mp3"


def picture_key() -> str:
    return rendition_key().replace("renditions/", "images/").replace(".mp3", ".jpg")


def picture(key: str) -> Image:
    variant = {"key": key, "size_bytes": 10, "content_type": "image/jpeg", "width": 1400}
    image: Image = ImageFactory(variants={"feed": variant, "1400": variant})
    return image


def asset_with(key: str, **fields: object) -> Asset:
    """A finished original that is its own rendition."""
    asset: Asset = AssetFactory(storage_key=key, size_bytes=10, rendition=None, **fields)
    RenditionFactory(asset=asset, storage_key=key, size_bytes=10, header_bytes=0)
    return asset


def collect(*, after: timedelta = timedelta()) -> list[str]:
    """A collection some time from now; the keys of the objects that it removed."""
    lines: list[str] = []
    # The clock itself can't be moved: an S3 service refuses what is signed at another time.
    garbage.collect_garbage(now() + timedelta(hours=2) + after, tell=lines.append)
    return sorted(line.split()[1].rstrip(",") for line in lines if line.startswith("object"))


def test_an_object_that_no_row_names_goes_after_the_grace_and_not_before(
    store: Storage, put: Put
) -> None:
    keys = sorted([put(rendition_key()), put(picture_key()), put(f"originals/{uuid4()}")])
    assert collect() == []
    assert collect(after=GRACE - DAY) == []
    assert collect(after=GRACE) == keys
    assert not any(store.exists(key) for key in keys)
    assert not StrayObject.objects.exists()


def test_an_object_must_be_unused_all_the_time(store: Storage, put: Put) -> None:
    key = put(rendition_key())
    assert collect() == []
    asset = asset_with(key)
    episode = EpisodeFactory(audio=asset)
    assert collect(after=3 * DAY) == []
    Episode.objects.filter(pk=episode.pk).delete()
    asset.delete()  # as when a tenant is deleted: no service knows
    assert collect(after=4 * DAY) == []
    assert collect(after=GRACE + DAY) == []
    assert collect(after=GRACE + 4 * DAY) == [key]


def test_what_was_stored_a_moment_ago_is_not_even_noted(store: Storage, put: Put) -> None:
    put(rendition_key())
    garbage.collect_garbage(now(), tell=print)
    assert not StrayObject.objects.exists()


@pytest.mark.parametrize(
    "key",
    [
        "ready",
        "backups/database.dump",
        "renditions/readme.txt",
        "renditions/ab/short.mp3",
        "originals/5b0c6e0c-8d4e-4f7a-9d53-0c4f6f0f7d11/more",
        f"images/ab/{'g' * 64}.jpg",
    ],
)
def test_what_an_operator_keeps_beside_our_objects_is_left_alone(
    store: Storage, put: Put, key: str
) -> None:
    put(key)
    assert collect() == []
    assert collect(after=2 * GRACE) == []
    assert store.exists(key)


def episode_with(key: str, **fields: object) -> Episode:
    episode: Episode = EpisodeFactory(audio=asset_with(key), **fields)
    return episode


def in_the_trash(key: str) -> None:
    delete_episode(episode=episode_with(key))


def in_a_show_in_the_trash(key: str) -> None:
    delete_show(show=episode_with(key).show)


def while_its_replacement_is_prepared(key: str) -> None:
    episode = episode_with(key)
    incoming = AssetFactory(
        organization=episode.organization, rendition=None, status=AssetStatus.PENDING
    )
    receive_audio(episode=episode, asset=incoming)


def unfinished(status: AssetStatus) -> Callable[[str], None]:
    def make(key: str) -> None:
        asset = AssetFactory(
            storage_key=key,
            rendition=None,
            status=status,
            error_message="Ours failed.",
        )
        EpisodeFactory(audio=None, status="draft", incoming_audio=asset)

    return make


def joined_but_not_yet_an_asset(key: str) -> None:
    Upload.objects.create(
        id=key.removeprefix("originals/"),
        organization=OrganizationFactory(),
        filename="a.mp3",
        size_bytes=10,
        part_size_bytes=10,
        expires_at=now() + 10 * GRACE,
    )


RENDITION, PICTURE, ORIGINAL = rendition_key(), picture_key(), f"originals/{uuid4()}"
USES: dict[str, tuple[str, Callable[[str], object]]] = {
    "served": (RENDITION, episode_with),
    "served as a draft": (RENDITION, lambda key: episode_with(key, status="draft")),
    "in the trash": (RENDITION, in_the_trash),
    "in a show in the trash": (RENDITION, in_a_show_in_the_trash),
    "while its replacement is prepared": (RENDITION, while_its_replacement_is_prepared),
    "waiting for a worker": (ORIGINAL, unfinished(AssetStatus.PENDING)),
    "in processing": (ORIGINAL, unfinished(AssetStatus.PROCESSING)),
    "failed, to be tried again": (ORIGINAL, unfinished(AssetStatus.FAILED)),
    "joined, not yet an asset": (ORIGINAL, joined_but_not_yet_an_asset),
    "cover of a show": (PICTURE, lambda key: ShowFactory(artwork=picture(key))),
    "picture of an episode": (PICTURE, lambda key: EpisodeFactory(artwork=picture(key))),
    "found inside a served file": (
        PICTURE,
        lambda key: EpisodeFactory(audio=asset_with(rendition_key(), artwork=picture(key))),
    ),
}


@pytest.mark.parametrize(("key", "use"), USES.values(), ids=USES.keys())
def test_what_is_in_use_is_never_collected(
    store: Storage, put: Put, key: str, use: Callable[[str], object]
) -> None:
    put(key)
    # Even if an earlier run took it for garbage.
    StrayObject.objects.create(key=key, size_bytes=10, unreferenced_since=now() - 3 * GRACE)
    use(key)
    Asset.objects.update(unused_since=now() - 3 * GRACE, heartbeat_at=now() - 3 * GRACE)
    Image.objects.update(unused_since=now() - 3 * GRACE)
    rows = [Asset.objects.count(), Rendition.objects.count(), Image.objects.count()]
    for days in (0, 8, 16):
        assert key not in collect(after=days * DAY)
    assert store.exists(key)
    assert rows == [Asset.objects.count(), Rendition.objects.count(), Image.objects.count()]
    assert not Image.objects.exclude(unused_since=None).exists()


def test_the_table_of_uses_knows_every_reference_to_what_is_collected() -> None:
    """A new model that refers to audio or pictures keeps them by itself; it gets its row above."""

    def referring(kind: type[models.Model]) -> set[str]:
        return {
            f"{relation.related_model.__name__}.{relation.field.name}"
            for relation in kind._meta.get_fields(include_hidden=True)
            if isinstance(relation, models.ForeignObjectRel)
        }

    assert referring(Image) == {"Show.artwork", "Episode.artwork", "Asset.artwork"}
    assert referring(Asset) == {"Rendition.asset", "Episode.audio", "Episode.incoming_audio"}
    # What was counted outlives the file.
    assert referring(Rendition) <= {f"{Coverage.__name__}.rendition"}


def test_a_replaced_file_stays_for_the_grace_because_apps_resume_with_it(
    store: Storage, put: Put
) -> None:
    old, new = put(rendition_key()), put(rendition_key())
    episode = EpisodeFactory(audio=None, status="draft")
    with time_machine.travel(now() - 100 * DAY):
        first, second = (
            asset_with(key, organization=episode.organization, heartbeat_at=now())
            for key in (old, new)
        )
        receive_audio(episode=episode, asset=first)
    receive_audio(episode=episode, asset=second)
    assert collect() == []
    assert collect(after=GRACE - DAY) == []
    assert collect(after=GRACE) == [old]
    assert list(Asset.objects.all()) == [second]


def test_taking_a_file_up_again_between_two_runs_begins_a_new_grace(
    store: Storage, put: Put
) -> None:
    keys = put(rendition_key()), put(rendition_key())
    episode = EpisodeFactory(audio=None, status="draft")
    first, second = (
        asset_with(key, organization=episode.organization, heartbeat_at=now() - 100 * DAY)
        for key in keys
    )
    assert collect() == []
    with time_machine.travel(now() + 6 * DAY):
        receive_audio(episode=episode, asset=first)
        episode.refresh_from_db()
        receive_audio(episode=episode, asset=second)
    assert collect(after=GRACE) == []
    assert collect(after=GRACE + 6 * DAY) == [keys[0]]


def test_an_object_of_two_tenants_goes_with_the_last_of_them(store: Storage, put: Put) -> None:
    key = put(rendition_key())
    episode = episode_with(key)
    asset_with(key, heartbeat_at=now() - GRACE)
    assert collect() == []
    assert collect(after=GRACE) == []
    assert Asset.objects.get() == episode.audio
    Episode.objects.all().delete()
    assert collect(after=GRACE + DAY) == []
    assert collect(after=2 * GRACE + DAY) == [key]


def test_a_picture_inside_a_file_goes_after_the_file(store: Storage, put: Put) -> None:
    audio, cover = put(rendition_key()), put(picture_key())
    asset_with(audio, artwork=picture(cover), heartbeat_at=now())
    assert collect() == []
    assert collect(after=GRACE) == [audio]
    assert collect(after=GRACE + DAY) == []
    assert collect(after=2 * GRACE + DAY) == [cover]
    assert not Image.objects.exists()


def test_a_file_that_a_worker_still_prepares_for_nobody_stays(store: Storage, put: Put) -> None:
    key = put(f"originals/{uuid4()}")
    asset = AssetFactory(storage_key=key, rendition=None, status=AssetStatus.PROCESSING)
    assert collect() == []
    Asset.objects.filter(pk=asset.pk).update(heartbeat_at=now() + GRACE)
    assert collect(after=GRACE) == []
    assert collect(after=2 * GRACE) == [key]


def test_the_row_of_the_upload_goes_with_its_file() -> None:
    upload = Upload.objects.create(
        organization=OrganizationFactory(),
        filename="a.mp3",
        size_bytes=10,
        part_size_bytes=10,
        status=UploadStatus.COMPLETE,
        expires_at=now(),
    )
    AssetFactory(rendition=None, upload=upload, heartbeat_at=now())
    collect()
    collect(after=GRACE)
    assert not Asset.objects.exists()
    assert not Upload.objects.exists()


def state(store: Storage) -> list[object]:
    """Everything that a collection may change."""
    rows = [list(kind.objects.order_by("pk").values()) for kind in (Asset, Image, StrayObject)]
    return [*rows, sorted(item.key for item in store.list_objects(""))]


def test_a_dry_run_says_what_would_go_and_changes_nothing(store: Storage, put: Put) -> None:
    shared, own, stray = put(rendition_key()), put(rendition_key()), put(picture_key())
    episode_with(shared)
    for key in (shared, own):
        asset_with(key, heartbeat_at=now())
    put(rendition_key())
    StrayObject.objects.create(key=stray, size_bytes=10, unreferenced_since=now())
    Asset.objects.update(unused_since=now())
    before = state(store)
    expected: list[str] = []
    told: list[str] = []
    found = garbage.find_garbage(now() + GRACE, tell=expected.append)
    assert state(store) == before
    assert [line for line in expected if line.startswith("object")] == [
        f"object {own}, 10 bytes",
        f"object {stray}, 10 bytes",
    ]
    assert (found.rows, found.objects, found.size_bytes) == (2, 2, 20)

    # And then it is what goes.
    assert garbage.collect_garbage(now() + GRACE, tell=told.append) == found
    assert told == expected
    assert [store.exists(key) for key in (shared, own, stray)] == [True, False, False]


def test_the_command_tells_what_it_removes_or_would_remove(
    disk_store: Storage,
) -> None:
    key = rendition_key()
    StrayObject.objects.create(key=key, size_bytes=12_345, unreferenced_since=now())

    def said(*options: str) -> list[str]:
        output = StringIO()
        call_command("collect_garbage", *options, stdout=output)
        return output.getvalue().splitlines()

    assert said() == ["Removed 0 rows and 0 objects of 0 bytes."]
    with time_machine.travel(now() + GRACE, tick=False):
        line = f"object {key}, 12,345 bytes"
        assert said("--dry-run") == [line, "Would remove 0 rows and 1 objects of 12,345 bytes."]
        assert said() == [line, "Removed 0 rows and 1 objects of 12,345 bytes."]
        assert said("--dry-run") == ["Would remove 0 rows and 0 objects of 0 bytes."]


def test_a_run_without_time_removes_nothing_and_says_that_it_goes_on(disk_store: Storage) -> None:
    StrayObject.objects.create(
        key=rendition_key(), size_bytes=10, unreferenced_since=now() - 2 * GRACE
    )
    found = garbage.collect_garbage(now(), tell=print, time_limit=timedelta(seconds=-1))
    assert not found.is_complete
    assert "the next run goes on" in str(found)
    assert StrayObject.objects.exists()


def test_the_daily_job_logs_what_it_removed(
    disk_store: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    key = rendition_key()
    StrayObject.objects.create(key=key, size_bytes=12_345, unreferenced_since=now() - 2 * GRACE)
    with caplog.at_level(logging.INFO, logger="apps.media.tasks"):
        tasks.collect_garbage.delay()
    assert f"Removed object {key}, 12,345 bytes" in caplog.text
    assert "0 rows and 1 objects of 12,345 bytes" in caplog.text


def test_a_store_that_is_away_keeps_its_note_for_the_next_run(
    disk_store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    StrayObject.objects.create(
        key=rendition_key(), size_bytes=10, unreferenced_since=now() - 2 * GRACE
    )

    def refuse(self: object, key: str) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(type(disk_store), "delete", refuse)
        with pytest.raises(OSError, match="gone"):
            garbage.collect_garbage(now(), tell=print)
    assert StrayObject.objects.exists()
    assert garbage.collect_garbage(now(), tell=print).objects == 1


def test_many_objects_are_compared_with_rows_in_few_questions(
    disk_store: Storage, django_assert_max_num_queries: Callable[..., object], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for _ in range(60):
        disk_store.put(tmp_path / "file", rendition_key(), content_type="audio/mpeg")
    later = now() + DAY
    with django_assert_max_num_queries(16 * 6):  # type: ignore[attr-defined]
        for page in strays.pages():
            strays.note(page, later)
    assert StrayObject.objects.count() == 60


def test_times_in_a_listing_have_a_zone(store: Storage, put: Put) -> None:
    key = put(rendition_key())
    (found,) = store.list_objects(key)
    assert abs(found.modified_at - datetime.now(found.modified_at.tzinfo)) < timedelta(minutes=5)
