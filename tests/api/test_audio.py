"""An episode's audio over HTTP: sent, prepared, served, replaced, failed, given up, thrown away."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import transaction

from apps.core.clock import now
from apps.media import claims
from apps.media.garbage import collect_garbage
from apps.media.models import Asset, AssetStatus
from apps.media.storage import storage
from podcasts import audio, audio_tasks
from podcasts.models import Episode
from tests.conftest import People
from tests.factories import AssetFactory, EpisodeFactory
from tests.media.sounds import make_mp3, make_sound
from tests.uploading import Sender


@pytest.fixture
def episode(people: People) -> Episode:
    """A draft without audio."""
    return EpisodeFactory(
        show__organization=people.organization, status="draft", published_at=None, audio=None
    )


@pytest.fixture
def sender(people: People) -> Sender:
    """The editor's program."""
    return Sender(people.client("editor"), people.organization.id, b"")


def state_of(people: People, episode: Episode) -> dict[str, Any]:
    """What a member is told."""
    response = people.client("analyst").get(f"/api/v1/episodes/{episode.id}/audio/")
    state: dict[str, Any] = response.json()
    return state


def send(sender: Sender, path: Path, episode: Episode) -> Any:
    """Upload a whole file for an episode."""
    sender.content, sender.filename = path.read_bytes(), path.name
    sender.open()
    sender.send()
    return sender.complete(episode=str(episode.id))


# Work is queued when the transaction ends, so that these need real ends.
on_commit = pytest.mark.django_db(transaction=True)


@on_commit
def test_an_uploaded_file_is_served_once_it_is_ready(
    tmp_path: Path, people: People, sender: Sender, episode: Episode
) -> None:
    assert state_of(people, episode) | {"episode": ""} == {
        "type": "audio",
        "episode": "",
        "status": "empty",
        "incoming": None,
        "audio": None,
    }
    path = make_mp3(tmp_path / "pilot.mp3", metadata={"title": "Pilot"})
    assert send(sender, path, episode).status_code == 200
    state = state_of(people, episode)
    assert (state["status"], state["incoming"]) == ("ready", None)
    audio_facts = state["audio"]
    assert (audio_facts["filename"], audio_facts["title"]) == ("pilot.mp3", "Pilot")
    assert audio_facts["size_bytes"] == path.stat().st_size
    assert audio_facts["duration_ms"] == pytest.approx(3000, abs=60)
    assert audio_facts["preview_url"].startswith(f"/media/{episode.id}/")


def test_what_is_served_keeps_its_tag_for_an_hour(people: People) -> None:
    episode = EpisodeFactory(show__organization=people.organization)
    client, address = people.client("analyst"), f"/api/v1/episodes/{episode.id}/audio/"
    with time_machine.travel("2026-11-21T12:10:00Z", tick=False) as clock:
        tag = client.get(address)["ETag"]
        statuses = []
        for minutes in (0.5, 30, 30):
            clock.shift(timedelta(minutes=minutes))
            statuses.append(client.get(address, headers={"If-None-Match": tag}).status_code)
    assert statuses == [304, 304, 200]


@on_commit
def test_a_broken_replacement_ends_in_a_sentence_and_the_old_file_stays(
    tmp_path: Path, people: People, sender: Sender, episode: Episode
) -> None:
    send(sender, make_mp3(tmp_path / "good.mp3"), episode)
    before = state_of(people, episode)["audio"]["sha256"]
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"PK\x03\x04" + bytes(5000))
    send(sender, broken, episode)
    state = state_of(people, episode)
    assert state["status"] == "failed"
    assert "archive" in state["incoming"]["error"]["message"]
    assert state["incoming"]["error"]["can_retry"] is False
    assert state["audio"]["sha256"] == before
    response = sender.post(f"episodes/{episode.id}/audio/", {"asset": state["incoming"]["asset"]})
    assert (response.status_code, response.json()["code"]) == (409, "audio_failed")

    send(sender, make_mp3(tmp_path / "better.mp3", seconds=5), episode)
    state = state_of(people, episode)
    assert (state["status"], state["incoming"]) == ("ready", None)
    assert state["audio"]["filename"] == "better.mp3"


@on_commit
def test_a_failed_file_can_be_dismissed_by_an_editor(
    tmp_path: Path, people: People, sender: Sender, episode: Episode
) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"%PDF-1.7" + bytes(5000))
    send(sender, broken, episode)
    path = f"/api/v1/episodes/{episode.id}/audio/"
    assert people.client("analyst").delete(path).status_code == 403
    assert people.client("editor").delete(path).status_code == 204
    assert state_of(people, episode)["status"] == "empty"
    assert people.client("editor").delete(path).status_code == 204


@on_commit
def test_a_file_may_be_uploaded_first_and_given_to_its_episode_later(
    tmp_path: Path, people: People, sender: Sender, episode: Episode
) -> None:
    sender.content = make_mp3(tmp_path / "a.mp3").read_bytes()
    sender.open()
    sender.send()
    asset_id = sender.complete().json()["id"]
    assert Asset.objects.get(id=asset_id).status == AssetStatus.PENDING
    path = f"episodes/{episode.id}/audio/"
    response = sender.post(path, {"asset": asset_id})
    assert response.status_code == 202
    assert state_of(people, episode)["audio"]["asset"] == asset_id
    assert sender.post(path, {"asset": asset_id}).status_code == 202
    other = EpisodeFactory(show=episode.show, status="draft", published_at=None, audio=None)
    assert sender.post(f"episodes/{other.id}/audio/", {"asset": asset_id}).status_code == 202
    assert state_of(people, other)["audio"]["asset"] == asset_id


@on_commit
def test_a_file_of_another_tenant_is_not_there(
    people: People, sender: Sender, episode: Episode
) -> None:
    foreign = AssetFactory()
    response = sender.post(f"episodes/{episode.id}/audio/", {"asset": str(foreign.id)})
    assert response.status_code == 404
    assert state_of(people, episode)["status"] == "empty"


@on_commit
def test_a_newer_file_takes_the_place_of_one_that_is_still_waiting(
    tmp_path: Path, people: People, sender: Sender, episode: Episode, settings: LazySettings
) -> None:
    waiting = AssetFactory(
        organization=people.organization, status=AssetStatus.PENDING, rendition=None
    )
    Episode.objects.filter(id=episode.id).update(incoming_audio=waiting)
    send(sender, make_mp3(tmp_path / "newer.mp3"), episode)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.error_code) == (AssetStatus.FAILED, "cancelled")
    assert state_of(people, episode)["audio"]["filename"] == "newer.mp3"


@on_commit
def test_the_episode_is_published_when_its_audio_is_ready_if_that_was_wished(
    tmp_path: Path, people: People, sender: Sender, episode: Episode
) -> None:
    Episode.objects.filter(id=episode.id).update(is_published_when_ready=True)
    send(sender, make_sound(tmp_path / "a.wav", codec="pcm_s16le", bitrate=None), episode)
    episode.refresh_from_db()
    assert episode.status == "published"
    assert episode.audio is not None


@pytest.fixture
def interrupted(people: People, episode: Episode, tmp_path: Path) -> Callable[..., Asset]:
    """A file whose worker was killed in the middle."""

    def _interrupted(attempts: int = 1, silent_seconds: float = 21) -> Asset:
        path = make_mp3(tmp_path / "a.mp3")
        asset = Asset(
            organization=people.organization,
            filename="a.mp3",
            size_bytes=path.stat().st_size,
            status=AssetStatus.PROCESSING,
            attempts=attempts,
            heartbeat_at=now() - timedelta(seconds=silent_seconds),
        )
        asset.storage_key = f"originals/{asset.id}"
        storage().put(path, asset.storage_key, content_type="audio/mpeg")
        asset.save()
        Episode.objects.filter(id=episode.id).update(incoming_audio=asset)
        return asset

    return _interrupted


@on_commit
def test_the_file_of_a_killed_worker_is_prepared_by_another(
    people: People, episode: Episode, interrupted: Callable[..., Asset]
) -> None:
    interrupted()
    audio_tasks.recover_stalled_audio.delay()
    assert state_of(people, episode)["status"] == "ready"


@on_commit
@pytest.mark.parametrize("silent_seconds", [0, 15])
def test_a_worker_that_gave_a_sign_of_life_keeps_its_file(
    interrupted: Callable[..., Asset], silent_seconds: float
) -> None:
    asset = interrupted(silent_seconds=silent_seconds)
    assert audio.recover_stalled() == 0
    asset.refresh_from_db()
    assert (asset.status, asset.attempts) == (AssetStatus.PROCESSING, 1)


@on_commit
def test_a_file_that_kills_every_worker_is_given_up_and_may_be_tried_again(
    people: People, episode: Episode, sender: Sender, interrupted: Callable[..., Asset]
) -> None:
    asset = interrupted(attempts=claims.MAX_ATTEMPTS)
    assert audio.recover_stalled() == 1
    state = state_of(people, episode)
    assert state["incoming"]["error"]["code"] == "interrupted"
    assert state["incoming"]["error"]["can_retry"] is True
    assert audio.recover_stalled() == 0
    sender.post(f"episodes/{episode.id}/audio/", {"asset": str(asset.id)})
    assert state_of(people, episode)["status"] == "ready"


@on_commit
def test_a_file_whose_job_was_lost_is_queued_again(
    people: People, episode: Episode, interrupted: Callable[..., Asset]
) -> None:
    asset = interrupted()
    Asset.objects.filter(id=asset.id).update(
        status=AssetStatus.PENDING, heartbeat_at=now() - claims.FORGOTTEN_AFTER
    )
    audio.recover_stalled()
    assert state_of(people, episode)["status"] == "ready"


@on_commit
def test_a_job_for_a_file_that_is_gone_does_nothing(episode: Episode) -> None:
    audio_tasks.process_audio.delay(str(episode.id))


@on_commit
def test_a_replaced_file_is_deleted_after_its_time_of_grace(
    tmp_path: Path, people: People, sender: Sender, episode: Episode, settings: LazySettings
) -> None:
    send(sender, make_mp3(tmp_path / "old.mp3"), episode)
    old = Asset.objects.get()
    send(sender, make_mp3(tmp_path / "new.mp3", seconds=4), episode)
    collect_garbage(now() + settings.GARBAGE_GRACE / 2, tell=print)
    assert storage().exists(old.storage_key)
    collect_garbage(now() + settings.GARBAGE_GRACE, tell=print)
    assert [asset.filename for asset in Asset.objects.all()] == ["new.mp3"]
    assert not storage().exists(old.storage_key)
    assert state_of(people, episode)["status"] == "ready"


@on_commit
def test_a_file_is_never_attached_without_its_asset_or_the_other_way_round(
    tmp_path: Path, sender: Sender, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.client.raise_request_exception = False

    def die(asset_id: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(audio, "_queue", die)
        path = make_mp3(tmp_path / "a.mp3")
        assert send(sender, path, episode).status_code == 500
        assert not Asset.objects.exists()
        assert sender.state()["status"] == "open"
    assert sender.complete(episode=str(episode.id)).status_code == 200
    episode.refresh_from_db()
    assert episode.audio is not None


@on_commit
def test_a_failed_preparation_is_tried_again_where_that_can_help(
    people: People, episode: Episode, sender: Sender, interrupted: Callable[..., Asset]
) -> None:
    path = f"episodes/{episode.id}/audio/retry/"
    assert sender.post(path, {}).json()["code"] == "audio_not_failed"
    asset = interrupted(attempts=claims.MAX_ATTEMPTS)
    assert sender.post(path, {}).json()["code"] == "audio_not_failed"
    audio.recover_stalled()
    response = sender.post(path, {})
    assert response.status_code == 202
    assert state_of(people, episode)["audio"]["asset"] == str(asset.id)
    Episode.objects.filter(id=episode.id).update(
        incoming_audio=AssetFactory(
            organization=people.organization,
            status=AssetStatus.FAILED,
            error_code="damaged",
            error_message="This file is damaged.",
        )
    )
    response = sender.post(path, {})
    assert (response.status_code, response.json()["code"]) == (409, "audio_failed")
    assert response.json()["detail"] == "This file is damaged."


def test_only_members_see_the_state_and_only_editors_change_it(
    people: People, episode: Episode
) -> None:
    path = f"/api/v1/episodes/{episode.id}/audio/"
    seen = {"anonymous": 401, "stranger": 404, "staff": 404, "analyst": 200, "editor": 200}
    changed = seen | {"analyst": 403, "editor": 204}
    for name in seen:
        client = people.client(name)
        assert client.get(path).status_code == seen[name], name
        assert client.delete(path).status_code == changed[name], name
        posted = client.post(path, {"asset": str(episode.id)}, content_type="application/json")
        assert posted.status_code == {"editor": 404}.get(name, changed[name]), name
        retried = client.post(f"{path}retry/", {}, content_type="application/json")
        assert retried.status_code == {"editor": 409}.get(name, changed[name]), name
    assert not transaction.get_connection().needs_rollback
