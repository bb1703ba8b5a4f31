"""Uploads over HTTP: opened, continued, sent in parts, checked, completed, expired."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings

from apps.core.clock import now
from apps.media import admission, retention, uploads
from apps.media.models import Asset, Upload, UploadStatus
from apps.media.storage import NoSuchUploadError, storage
from tests.conftest import People
from tests.factories import EpisodeFactory, MembershipFactory
from tests.uploading import Sender

PART = 1000
CONTENT = bytes(range(256)) * 10  # 2,560 bytes: two full parts and a short one


@pytest.fixture(autouse=True)
def _small_parts(settings: LazySettings) -> None:
    settings.UPLOAD_PART_BYTES = PART


@pytest.fixture
def sender(people: People) -> Sender:
    """The editor's program, with a file of three parts."""
    return Sender(people.client("editor"), people.organization.id, CONTENT, fingerprint="f1")


def test_a_file_sent_in_parts_is_stored_as_it_was(sender: Sender) -> None:
    assert sender.open().status_code == 201
    assert [sender.upload[name] for name in ("part_size_bytes", "part_count", "parts")] == [
        PART,
        3,
        [],
    ]
    assert [reply.status for reply in sender.send()] == [200, 200, 200]
    response = sender.complete()
    assert response.status_code == 200
    asset = Asset.objects.get(id=response.json()["id"])
    with storage().materialise(asset.storage_key) as path:
        assert path.read_bytes() == CONTENT
    assert (asset.filename, asset.size_bytes, asset.status) == ("episode.mp3", 2560, "pending")
    assert sender.state()["status"] == "complete"
    assert sender.state()["asset"] == str(asset.id)


def test_parts_may_come_in_any_order_and_twice(sender: Sender) -> None:
    sender.open()
    for number in (3, 1, 2, 1):
        assert [reply.status for reply in sender.send(number)] == [200]
    assert [part["number"] for part in sender.state()["parts"]] == [1, 2, 3]
    assert sender.complete().status_code == 200


def test_completing_twice_makes_one_asset(sender: Sender) -> None:
    sender.open()
    sender.send()
    assert sender.complete().json() == sender.complete().json()
    assert Asset.objects.count() == 1


def test_completing_again_works_when_the_first_call_died_after_the_join(sender: Sender) -> None:
    sender.open()
    sender.send()
    sender.complete()
    Asset.objects.all().delete()
    Upload.objects.update(status=UploadStatus.OPEN)
    assert sender.complete().status_code == 200
    assert Asset.objects.get().size_bytes == len(CONTENT)


def test_the_same_file_continues_its_open_upload_with_what_is_missing(sender: Sender) -> None:
    sender.open()
    first = sender.upload["id"]
    sender.send(1, 3)
    response = sender.open()
    assert response.status_code == 200
    assert response.json()["id"] == first
    assert [part["number"] for part in response.json()["parts"]] == [1, 3]
    sizes = {part["number"]: part["size_bytes"] for part in response.json()["parts"]}
    assert sizes == {1: PART, 3: 560}


def test_continuing_an_upload_does_not_lengthen_its_life(sender: Sender) -> None:
    """A bucket's lifecycle rule would end it behind our back."""
    sender.open()
    first = dict(sender.upload)
    with time_machine.travel(now() + timedelta(days=3)):
        assert sender.open().status_code == 200
    assert sender.upload["id"] == first["id"]
    assert sender.upload["expires_at"] == first["expires_at"]


@pytest.mark.parametrize("change", ["fingerprint", "size", "closed", "expired", "other person"])
def test_another_file_or_a_closed_upload_is_not_continued(
    sender: Sender, people: People, change: str
) -> None:
    sender.open()
    first = sender.upload["id"]
    match change:
        case "fingerprint":
            sender.fingerprint = "f2"
        case "size":
            sender.content = CONTENT + b"!"
        case "closed":
            sender.client.delete(f"/api/v1/uploads/{first}/")
        case "expired":
            Upload.objects.update(expires_at=now())
        case "other person":
            sender.client = people.client("admin")
    assert sender.open().status_code == 201
    assert sender.upload["id"] != first


def test_without_a_fingerprint_every_upload_is_new(sender: Sender) -> None:
    sender.fingerprint = ""
    assert sender.open().status_code == 201
    assert sender.open().status_code == 201


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_an_upload_with_a_missing_part_can_be_finished_later(sender: Sender, missing: int) -> None:
    sender.open()
    sender.send(*({1, 2, 3} - {missing}))
    refused = sender.complete()
    assert refused.status_code == 409
    assert refused.json()["code"] == "parts_differ"
    assert Asset.objects.count() == 0
    sender.send(missing)
    assert sender.complete().status_code == 200


def test_a_file_that_changed_while_it_was_sent_is_refused(sender: Sender) -> None:
    sender.open()
    sender.send()
    sender.content = CONTENT[:-1] + b"!"
    assert sender.complete().json()["code"] == "parts_differ"


def test_a_part_with_other_bytes_than_announced_is_not_kept(sender: Sender) -> None:
    sender.open()
    target = sender.ask(1).json()[0]
    reply = sender.put(target, b"x" * PART)
    assert reply.status == 400
    assert sender.state()["parts"] == []


def test_an_address_takes_only_its_own_part(sender: Sender) -> None:
    sender.open()
    one, two = sender.ask(1, 2).json()
    two["url"] = two["url"].replace("/parts/2?", "/parts/3?")
    assert sender.put(two, sender.parts()[1]).status == 403
    assert sender.put(one, CONTENT[:10]).status == 400


def test_a_file_above_the_limit_is_refused_before_it_is_sent(
    sender: Sender, settings: LazySettings
) -> None:
    settings.MAX_UPLOAD_BYTES = len(CONTENT) - 1
    response = sender.open()
    assert response.status_code == 413
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "too_large"
    assert "at most" in response.json()["detail"]
    settings.MAX_UPLOAD_BYTES = len(CONTENT)
    assert sender.open().status_code == 201


def test_a_file_that_does_not_fit_the_disk_is_refused_before_it_is_sent(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 2 * len(CONTENT) + admission.RESERVED_BYTES
    monkeypatch.setattr(admission, "free_bytes", lambda folder: room - 1)
    response = sender.open()
    assert (response.status_code, response.json()["code"]) == (507, "no_room")
    monkeypatch.setattr(admission, "free_bytes", lambda folder: room)
    assert sender.open().status_code == 201


def test_a_disk_that_fills_meanwhile_takes_no_part_and_joins_nothing(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many uploads may have begun while there was room for each of them."""
    sender.open()
    sender.send(1)
    monkeypatch.setattr(admission, "free_bytes", lambda folder: admission.RESERVED_BYTES + 1)
    assert {reply.status for reply in sender.send()} == {507}
    assert [part["number"] for part in sender.state()["parts"]] == [1]
    monkeypatch.undo()
    sender.send()
    monkeypatch.setattr(admission, "free_bytes", lambda folder: admission.RESERVED_BYTES + 1)
    assert sender.complete().json()["code"] == "no_room"
    monkeypatch.undo()
    assert sender.complete().status_code == 200


def test_an_organisation_has_only_so_many_unfinished_uploads(
    sender: Sender, settings: LazySettings
) -> None:
    settings.MAX_OPEN_UPLOADS = 2
    sender.fingerprint = "known"
    assert [sender.open().status_code for _ in range(2)] == [201, 200]
    known = sender.upload["id"]
    sender.fingerprint = ""
    assert sender.open().status_code == 201
    refused = sender.open()
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_uploads")
    assert "2 unfinished uploads" in refused.json()["detail"]
    assert "cancel one" in refused.json()["detail"]
    sender.client.delete(f"/api/v1/uploads/{known}/")
    assert sender.open().status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"size_bytes": 0}, "#/size_bytes"),
        ({"size_bytes": "many"}, "#/size_bytes"),
        ({"filename": ""}, "#/filename"),
        ({"organization": "ours"}, "#/organization"),
    ],
)
def test_wrong_values_are_named(sender: Sender, change: dict[str, object], pointer: str) -> None:
    body = {"organization": str(sender.organization), "filename": "a.mp3", "size_bytes": 5}
    response = sender.post("uploads/", body | change)
    assert response.status_code == 400
    problem = response.json()
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert problem["detail"] == problem["errors"][0]["detail"]


@pytest.mark.parametrize("text", ["", "abc", "YWJj", "x" * 44])
def test_a_checksum_must_be_a_sha256(sender: Sender, text: str) -> None:
    sender.open()
    path = f"uploads/{sender.upload['id']}/part-urls/"
    response = sender.post(path, {"parts": [{"number": 1, "checksum_sha256": text}]})
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/parts/0/checksum_sha256"


def test_part_numbers_beyond_the_file_are_refused(sender: Sender) -> None:
    sender.open()
    claim = sender.claims()[0] | {"number": 4}
    response = sender.post(f"uploads/{sender.upload['id']}/part-urls/", {"parts": [claim]})
    assert (response.status_code, response.json()["code"]) == (400, "no_such_part")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\audio\\Épisode 1.wav", "Épisode 1.wav"),
        ("a\x00b\n.mp3", "ab.mp3"),
        ("folder/", "audio"),
        ("x" * 300 + ".mp3", "x" * 251 + ".mp3"),
    ],
)
def test_a_file_name_is_only_a_name(sent: str, kept: str) -> None:
    assert uploads.plain_filename(sent) == kept


@pytest.mark.parametrize(
    ("size", "part"),
    [(1, PART), (PART * 10_000, PART), (PART * 10_000 + 1, 1024**2), (15 * 1024**3, 2 * 1024**2)],
)
def test_parts_grow_when_there_would_be_more_than_ten_thousand(size: int, part: int) -> None:
    assert uploads.part_size_for(size) == part


def test_a_cancelled_upload_frees_its_parts_and_takes_no_more(sender: Sender) -> None:
    sender.open()
    sender.send(1)
    target = sender.ask(2).json()[0]
    assert sender.client.delete(f"/api/v1/uploads/{sender.upload['id']}/").status_code == 204
    assert sender.put(target, sender.parts()[1]).status == 404
    assert sender.ask(2).json()["code"] == "upload_closed"
    assert sender.complete().json()["code"] == "upload_closed"
    assert sender.client.delete(f"/api/v1/uploads/{sender.upload['id']}/").status_code == 204


def test_cancelling_a_complete_upload_keeps_the_file(sender: Sender) -> None:
    sender.open()
    sender.send()
    asset = Asset.objects.get(id=sender.complete().json()["id"])
    sender.client.delete(f"/api/v1/uploads/{sender.upload['id']}/")
    assert storage().exists(asset.storage_key)
    assert sender.state()["status"] == "complete"


def test_only_overdue_uploads_expire_and_their_parts_go(sender: Sender) -> None:
    sender.open()
    sender.send(1)
    overdue = Upload.objects.get()
    sender.fingerprint = "f2"
    sender.open()
    Upload.objects.filter(id=overdue.id).update(expires_at=now() - timedelta(seconds=1))
    assert uploads.expire_uploads() == 1
    assert list(Upload.objects.order_by("id").values_list("status", flat=True)) == [
        "expired",
        "open",
    ]
    with pytest.raises(NoSuchUploadError):
        storage().list_parts(uploads.in_store(overdue))
    assert uploads.expire_uploads() == 0


def test_leftovers_of_killed_processes_are_removed_once_they_are_old(
    sender: Sender, settings: LazySettings
) -> None:
    import os

    sender.open()
    sender.send(1)
    root = settings.MEDIA_STORE_ROOT
    old = [root / "uploads" / "0190-orphan", root / "uploads" / ".removed-x"]
    old += [root / "renditions" / "ab" / ".incoming-1", settings.SCRATCH_ROOT / "audio-1"]
    new = [settings.SCRATCH_ROOT / "audio-2"]
    for path in old + new:
        path.mkdir(parents=True)
    for path in [*old, root / "uploads" / sender.upload["id"]]:
        os.utime(path, (0, 0))
    retention.remove_leftovers()
    assert [path.exists() for path in old] == [False] * len(old)
    assert [path.exists() for path in new] == [True]
    assert [part["number"] for part in sender.state()["parts"]] == [1]


def test_every_route_answers_404_to_strangers_and_403_to_weak_roles(
    sender: Sender, people: People
) -> None:
    sender.open()
    upload = f"/api/v1/uploads/{sender.upload['id']}/"
    new = {"organization": str(sender.organization), "filename": "a.mp3", "size_bytes": 5}
    claims = {"parts": sender.claims()}
    requests = [
        ("post", "/api/v1/uploads/", new),
        ("get", upload, {}),
        ("delete", upload, {}),
        ("post", f"{upload}part-urls/", claims),
        ("post", f"{upload}complete/", claims),
    ]
    expected = {"anonymous": 401, "stranger": 404, "staff": 404, "analyst": 403}
    for name, status in expected.items():
        client = people.client(name)
        for method, path, body in requests:
            response = getattr(client, method)(path, body, content_type="application/json")
            assert response.status_code == status, (name, method, path)
            assert response["Content-Type"] == "application/problem+json"
    assert sender.state()["status"] == "open"


def test_a_file_can_only_be_completed_for_an_episode_one_may_edit(
    sender: Sender, people: People
) -> None:
    foreign = EpisodeFactory()
    viewed = EpisodeFactory()
    editor = people.editor
    MembershipFactory(organization=viewed.organization, user=editor, role="analyst")
    other = EpisodeFactory()
    MembershipFactory(organization=other.organization, user=editor, role="editor")
    sender.open()
    sender.send()
    for episode, status in [(foreign, 404), (viewed, 403), (other, 404)]:
        assert sender.complete(episode=str(episode.id)).status_code == status
        assert Asset.objects.filter(upload_id=sender.upload["id"]).count() == 0


def test_a_session_without_its_csrf_token_changes_nothing(people: People) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(people.editor)
    body = {"organization": str(people.organization.id), "filename": "a.mp3", "size_bytes": 5}
    response = client.post("/api/v1/uploads/", body, content_type="application/json")
    assert response.status_code == 403
    assert Upload.objects.count() == 0
