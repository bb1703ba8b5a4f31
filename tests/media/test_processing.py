"""Preparing originals: what becomes of each kind of file, of broken ones, and of killed workers."""

import errno
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from apps.accounts.models import Organization
from apps.core.clock import now
from apps.core.hashing import sha256_of_file
from apps.media import claims, processing, retention
from apps.media.models import Asset, AssetStatus, Rendition
from apps.media.processing import process_asset
from apps.media.storage import storage
from tests.factories import OrganizationFactory
from tests.media.sounds import make_m4a, make_mp3, make_sound

pytestmark = pytest.mark.django_db


def nobody(stage: str, percent: int) -> None:
    """Nobody watches."""


def unwanted(asset: Asset) -> None:
    """Nothing waits for the asset."""


@pytest.fixture
def organization() -> Organization:
    return OrganizationFactory()


@pytest.fixture
def receive(organization: Organization) -> Callable[[Path], Asset]:
    """Stores a file as if it had been uploaded."""

    def _receive(path: Path) -> Asset:
        asset = Asset(organization=organization, filename=path.name, size_bytes=path.stat().st_size)
        asset.storage_key = f"originals/{asset.id}"
        storage().put(path, asset.storage_key, content_type="application/octet-stream")
        asset.save()
        return asset

    return _receive


def process(asset: Asset) -> Asset:
    """Process and read again."""
    assert process_asset(asset.id, on_progress=nobody, on_ready=unwanted)
    asset.refresh_from_db()
    return asset


def test_an_mp3_is_served_byte_for_byte_and_stored_once(
    tmp_path: Path,
    receive: Callable[[Path], Asset],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    path = make_mp3(tmp_path / "a.mp3", metadata={"title": "The pilot"})
    asset = receive(path)
    original_key = asset.storage_key
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        process(asset)
    rendition = asset.rendition
    assert rendition is not None
    assert (asset.status, asset.progress, asset.title) == ("ready", 100, "The pilot")
    assert asset.sha256 == rendition.sha256 == sha256_of_file(path)
    assert asset.storage_key == rendition.storage_key
    assert (rendition.content_type, rendition.extension) == ("audio/mpeg", "mp3")
    assert rendition.duration_ms == pytest.approx(3000, abs=60)
    assert rendition.size_bytes == path.stat().st_size
    assert not storage().exists(original_key)
    with storage().materialise(rendition.storage_key) as stored:
        assert stored.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("codec", ["pcm_s16le", "flac", "libopus"])
def test_what_apps_cannot_play_is_encoded_to_mp3_and_the_original_kept(
    codec: str, tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    container = {"pcm_s16le": "wav", "flac": "flac"}.get(codec, "ogg")
    rate = 48000 if codec == "libopus" else 44100
    path = make_sound(
        tmp_path / "named-wrongly.mp3", codec=codec, container=container, bitrate=None, rate=rate
    )
    asset = process(receive(path))
    rendition = asset.rendition
    assert rendition is not None, asset.error_message
    assert (rendition.content_type, rendition.codec) == ("audio/mpeg", "mp3")
    assert rendition.duration_ms == pytest.approx(3000, abs=60)
    assert asset.sha256 == sha256_of_file(path)
    assert rendition.sha256 != asset.sha256
    assert storage().exists(asset.storage_key)
    assert storage().size(rendition.storage_key) == rendition.size_bytes


def test_an_m4a_with_its_index_in_front_is_served_as_it_is(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    path = make_m4a(tmp_path / "a.m4a")
    rendition = process(receive(path)).rendition
    assert rendition is not None
    assert (rendition.content_type, rendition.sha256) == ("audio/mp4", sha256_of_file(path))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04" + b"\0" * 2000, "archive"),
        (b"<!doctype html><title>x</title>", "web page"),
        (b"\xff\xfb\x90\x64" + b"no frames follow" * 500, "MPEG audio"),
    ],
)
def test_what_is_no_audio_ends_in_a_sentence_and_needs_no_second_attempt(
    content: bytes, word: str, tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    path = tmp_path / "episode.mp3"
    path.write_bytes(content)
    asset = process(receive(path))
    assert asset.status == AssetStatus.FAILED
    assert word in asset.error_message
    assert asset.error_message.endswith(".")
    assert asset.attempts == 1
    assert not Rendition.objects.exists()


def test_what_is_odd_about_a_usable_file_is_said(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    assert process(receive(make_m4a(tmp_path / "fine.m4a"))).notices == []
    asset = process(receive(make_m4a(tmp_path / "index-last.m4a", faststart=False)))
    assert len(asset.notices) == 1
    assert asset.rendition is not None
    assert asset.rendition.sha256 != asset.sha256


def test_progress_only_grows_and_names_its_stages(
    tmp_path: Path, receive: Callable[[Path], Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "REPORTS_PER_SECOND", 1e9)
    asset = receive(make_sound(tmp_path / "a.wav", codec="pcm_s16le", bitrate=None, seconds=30))
    told: list[tuple[str, int]] = []
    process_asset(asset.id, on_progress=lambda *step: told.append(step), on_ready=unwanted)
    percents = [percent for _, percent in told]
    assert percents == sorted(percents)
    assert list(dict.fromkeys(stage for stage, _ in told)) == [
        processing.CHECKING,
        processing.ENCODING,
        processing.SAVING,
    ]
    assert len(told) > 10


def test_progress_is_told_a_few_times_a_second_at_most(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    asset = receive(make_mp3(tmp_path / "a.mp3"))
    told: list[str] = []
    claim = claims.claim(asset.id, lambda stage, percent: told.append(f"{stage} {percent}"))
    assert claim is not None
    for percent in range(99):
        claim.report("Checking", percent)
    claim.report("Saving", 99)
    assert len(told) <= 3
    assert told[-1] == "Saving 99"


def test_only_one_attempt_at_a_time_gets_a_file(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    asset = receive(make_mp3(tmp_path / "a.mp3"))
    assert claims.claim(asset.id, nobody) is not None
    assert claims.claim(asset.id, nobody) is None
    is_settled = process_asset(asset.id, on_progress=nobody, on_ready=unwanted)
    assert not is_settled  # the other attempt may still die
    asset.refresh_from_db()
    assert (asset.status, asset.attempts) == (AssetStatus.PROCESSING, 1)


def test_a_finished_file_is_not_touched_again(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    asset = process(receive(make_mp3(tmp_path / "a.mp3")))
    before = Asset.objects.filter(id=asset.id).values().get()
    process(asset)
    assert Asset.objects.filter(id=asset.id).values().get() == before
    assert Rendition.objects.count() == 1


def test_a_silent_worker_loses_its_file_and_can_change_nothing_afterwards(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    asset = receive(make_mp3(tmp_path / "a.mp3"))
    silent = claims.claim(asset.id, nobody)
    assert silent is not None
    Asset.objects.update(heartbeat_at=now() - claims.SILENT_AFTER - timedelta(seconds=1))
    process(asset)
    assert (asset.status, asset.attempts) == (AssetStatus.READY, 2)
    with pytest.raises(claims.ClaimLostError):
        silent.report("Late", 50)
    with pytest.raises(claims.ClaimLostError):
        silent.locked_asset()
    assert not claims.release(silent)


def test_a_cancelled_file_stops_its_worker(
    tmp_path: Path, receive: Callable[[Path], Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = receive(make_sound(tmp_path / "a.wav", codec="pcm_s16le", bitrate=None))
    steps: list[str] = []

    def cancel_at_first_step(stage: str, percent: int) -> None:
        steps.append(stage)
        claims.cancel(asset.id)

    monkeypatch.setattr(claims, "REPORTS_PER_SECOND", 1e9)
    assert process_asset(asset.id, on_progress=cancel_at_first_step, on_ready=unwanted)
    asset.refresh_from_db()
    assert (asset.status, asset.error_code, len(steps)) == ("failed", "cancelled", 1)
    assert not Rendition.objects.exists()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (OSError(errno.ENOSPC, "no space left"), "no-room"),
        (RuntimeError("a defect"), "internal"),
    ],
)
def test_our_own_failures_are_tried_again_and_end_in_a_sentence(
    failure: Exception,
    code: str,
    tmp_path: Path,
    receive: Callable[[Path], Asset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(path: Path, **kwargs: object) -> None:
        raise failure

    asset = receive(make_mp3(tmp_path / "a.mp3"))
    monkeypatch.setattr(processing, "probe", fail)
    outcomes = [_attempt(asset.id) for _ in range(claims.MAX_ATTEMPTS)]
    assert outcomes == [False, False, True]
    asset.refresh_from_db()
    assert (asset.status, asset.error_code) == (AssetStatus.FAILED, code)
    assert "Try again" in asset.error_message


def _attempt(asset_id: UUID) -> bool:
    return process_asset(asset_id, on_progress=nobody, on_ready=unwanted)


def test_a_failure_in_between_is_forgotten_when_a_later_attempt_succeeds(
    tmp_path: Path, receive: Callable[[Path], Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = receive(make_mp3(tmp_path / "a.mp3"))
    with monkeypatch.context() as broken:
        broken.setattr(processing, "sha256_of_file", lambda path: 1 / 0)
        assert not _attempt(asset.id)
    process(asset)
    assert (asset.status, asset.attempts, asset.error_code) == (AssetStatus.READY, 2, "")


def test_nothing_is_ready_when_what_waits_for_it_fails(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    asset = receive(make_mp3(tmp_path / "a.mp3"))

    def refuse(asset: Asset) -> None:
        raise RuntimeError("the episode can't take it")

    assert not process_asset(asset.id, on_progress=nobody, on_ready=refuse)
    asset.refresh_from_db()
    assert asset.status == AssetStatus.PENDING
    assert not Rendition.objects.exists()


def test_equal_bytes_of_two_tenants_are_stored_once_until_the_last_one_goes(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    path = make_mp3(tmp_path / "a.mp3")
    ours, theirs = process(receive(path)), receive(path)
    theirs.organization = OrganizationFactory()
    theirs.save()
    process(theirs)
    assert ours.storage_key == theirs.storage_key
    key = ours.storage_key
    ours.delete()
    assert retention.delete_unused_objects([key]) == set()
    assert storage().exists(key)
    theirs.delete()
    assert retention.delete_unused_objects([key]) == {key}
    assert not storage().exists(key)


def test_a_missing_original_ends_in_a_sentence(
    tmp_path: Path, receive: Callable[[Path], Asset]
) -> None:
    asset = receive(make_mp3(tmp_path / "a.mp3"))
    storage().delete(asset.storage_key)
    while not _attempt(asset.id):
        pass
    asset.refresh_from_db()
    assert (asset.error_code, "Upload it again" in asset.error_message) == ("lost", True)
