"""Episodes at their stable addresses: who hears what, and what is reported of it."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import time_machine
from django.conf import LazySettings
from pytest_django import DjangoAssertNumQueries

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import hits, stream
from apps.downloads.hit import MAX_TEXT_LENGTH
from apps.downloads.journal import CHUNK_BYTES
from apps.media.storage import storage
from hosting.data_plane import DataPlane
from podcasts.media_lookup import forget
from podcasts.models import Episode, EpisodeStatus
from podcasts.previews import LIFETIME_SECONDS, STEP_SECONDS, preview_url
from tests.asgi import Reply, call
from tests.factories import AssetFactory, EpisodeFactory, RenditionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

AUDIO = b"ID3" + bytes(range(256)) * 4000
BROWSER = {"User-Agent": "Overcast/3.0", "Referer": "https://blog.example/post?x=1"}


def make_episode(tmp_path: Path, content: bytes = AUDIO, **fields: Any) -> Episode:
    """An episode whose audio is really stored."""
    asset = AssetFactory(rendition=None)
    sha256 = hashlib.sha256(content).hexdigest()
    rendition = RenditionFactory(
        asset=asset, sha256=sha256, size_bytes=len(content), header_bytes=3, duration_ms=60_000
    )
    file = tmp_path / sha256
    file.write_bytes(content)
    storage().put(file, rendition.storage_key, content_type="audio/mpeg")
    return EpisodeFactory(**({"audio": asset, "slug": "pilot"} | fields))


@pytest.fixture
def episode(tmp_path: Path) -> Episode:
    return make_episode(tmp_path)


def url(episode: Episode, name: str = "pilot.mp3") -> str:
    return f"/media/{episode.id}/{name}"


def get(target: str, headers: dict[str, str] | None = None, method: str = "GET") -> Reply:
    return call(DataPlane(), method, target, BROWSER | (headers or {}))


def recorded() -> list[dict[str, object]]:
    """The hits in the stream, oldest first."""
    assert hits.settle()
    messages = cast(
        "list[tuple[bytes, dict[bytes, bytes]]]", valkey.connection().xrange(stream.name())
    )
    return [json.loads(fields[stream.FIELD]) for _, fields in messages]


def test_a_published_episode_is_heard_and_reported(episode: Episode) -> None:
    before = int(now().timestamp() * 1000)
    reply = get(url(episode), {"Range": "bytes=0-"})
    assert (reply.status, reply.body) == (206, AUDIO)
    assert reply.headers["content-type"] == "audio/mpeg"
    assert reply.headers["etag"] == f'"{hashlib.sha256(AUDIO).hexdigest()}"'
    assert reply.headers["content-disposition"] == 'inline; filename="pilot.mp3"'
    (hit,) = recorded()
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    assert before <= hit.pop("at") <= int(now().timestamp() * 1000)  # type: ignore[operator]
    assert UUID(str(hit.pop("id"))).version == 8
    assert hit == {
        "episode": str(episode.id),
        "show": str(episode.show_id),
        "organization": str(episode.organization_id),
        "rendition": str(episode.audio.rendition.id),
        "size": len(AUDIO),
        "header": 3,
        "duration_ms": 60_000,
        "method": "GET",
        "status": 206,
        "ip": "192.0.2.7",
        "agent": "Overcast/3.0",
        "range": "bytes=0-",
        "sent": [[0, len(AUDIO)]],
        "referrer": "blog.example",
        "final": True,
    }


def test_no_header_makes_a_hit_longer_than_what_is_read_of_a_journal_at_once(
    episode: Episode,
) -> None:
    endless = "\xe9" * 100_000
    get(url(episode), {"User-Agent": endless, "Range": endless, "Referer": f"//{endless}/"})

    (hit,) = recorded()
    assert hit["agent"] == hit["range"] == hit["referrer"] == "\xe9" * MAX_TEXT_LENGTH
    assert 4 * len(json.dumps(hit)) < CHUNK_BYTES


@pytest.mark.parametrize("name", ["pilot.mp3", "another name.m4a", "x", "p.mp3.exe"])
def test_the_name_in_the_address_does_not_matter(episode: Episode, name: str) -> None:
    reply = get(url(episode, name))
    assert (reply.status, reply.headers["content-type"]) == (200, "audio/mpeg")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 200),
        ({"status": EpisodeStatus.DRAFT}, 404),
        ({"status": EpisodeStatus.UNPUBLISHED}, 404),
        ({"status": EpisodeStatus.SCHEDULED, "published_at": timedelta(hours=1)}, 404),
        ({"status": EpisodeStatus.SCHEDULED, "published_at": timedelta(seconds=-1)}, 200),
        ({"status": EpisodeStatus.PUBLISHED, "published_at": timedelta(hours=1)}, 404),
        ({"deleted_at": timedelta(0)}, 404),
        ({"show__deleted_at": timedelta(0)}, 404),
    ],
)
def test_only_what_is_public_now_is_heard(
    tmp_path: Path, fields: dict[str, Any], status: int
) -> None:
    moments: dict[str, Any] = {
        k: now() + v if isinstance(v, timedelta) else v for k, v in fields.items()
    }
    episode = make_episode(tmp_path, **moments)
    assert get(url(episode)).status == status
    assert get(url(episode)).status == status  # from the cache as well
    assert len(recorded()) == (2 if status == 200 else 0)


def test_nothing_is_at_an_unknown_address(db: None) -> None:
    assert get(f"/media/{uuid4()}/pilot.mp3").status == 404


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("HEAD", {}, 200),
        ("GET", {"Range": "bytes=99999999-"}, 416),
        ("GET", {"If-None-Match": "*"}, 304),
        ("GET", {"If-Match": '"other"'}, 412),
    ],
)
def test_an_answer_without_audio_is_reported_as_such(
    episode: Episode, method: str, headers: dict[str, str], status: int
) -> None:
    assert get(url(episode), headers, method).status == status
    (hit,) = recorded()
    assert (hit["method"], hit["status"], hit["sent"]) == (method, status, [])


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_what_asks_for_no_audio_is_no_hit(episode: Episode, method: str) -> None:
    assert get(url(episode), method=method).status in {204, 405}
    assert recorded() == []


def test_a_client_that_leaves_is_reported_with_what_it_took(episode: Episode) -> None:
    reply = call(DataPlane(), "GET", url(episode), BROWSER, leave_after=600_000)
    assert not reply.is_complete
    (hit,) = recorded()
    assert (hit["sent"], hit["status"], hit["final"]) == ([[0, 524_288]], 200, True)


def test_a_warm_episode_costs_no_query(
    episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        get(url(episode))
    with django_assert_num_queries(0):
        assert get(url(episode)).status == 200


def test_a_change_is_heard_at_once(episode: Episode, tmp_path: Path) -> None:
    assert get(url(episode)).body == AUDIO
    episode.audio = make_episode(tmp_path, b"another file").audio
    episode.save()
    forget([episode.id])
    assert get(url(episode)).body == b"another file"
    Episode.objects.filter(id=episode.id).update(status=EpisodeStatus.UNPUBLISHED)
    forget([episode.id])
    assert get(url(episode)).status == 404
    Episode.objects.filter(id=episode.id).update(status=EpisodeStatus.PUBLISHED)
    assert get(url(episode)).status == 200


def test_a_resumed_download_never_mixes_two_files(episode: Episode, tmp_path: Path) -> None:
    etag = get(url(episode)).headers["etag"]
    episode.audio = make_episode(tmp_path, b"another file").audio
    episode.save()
    forget([episode.id])
    reply = get(url(episode), {"Range": "bytes=4-", "If-Range": etag})
    assert (reply.status, reply.body) == (200, b"another file")


def test_episodes_are_heard_while_valkey_is_away(episode: Episode, settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert get(url(episode)).body == AUDIO
    assert get(url(episode)).body == AUDIO


def test_a_file_that_is_gone_is_said_to_be_for_now(episode: Episode) -> None:
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    storage().delete(episode.audio.rendition.storage_key)
    reply = get(url(episode))
    assert (reply.status, reply.headers["retry-after"]) == (503, "30")
    (hit,) = recorded()
    assert (hit["status"], hit["sent"]) == (503, [])


def preview(episode: Episode) -> str:
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    return preview_url(episode, episode.audio.rendition)


def test_the_studio_hears_a_draft_and_is_not_counted(tmp_path: Path) -> None:
    episode = make_episode(tmp_path, status=EpisodeStatus.DRAFT)
    reply = get(preview(episode), {"Range": "bytes=0-9"})
    assert (reply.status, reply.body) == (206, AUDIO[:10])
    assert reply.headers["cache-control"] == "private, no-store"
    assert recorded() == []


def test_the_studio_hears_a_public_episode_and_is_not_counted(episode: Episode) -> None:
    assert get(preview(episode)).status == 200
    assert recorded() == []


def test_a_preview_ends_with_its_time(tmp_path: Path) -> None:
    episode = make_episode(tmp_path, status=EpisodeStatus.DRAFT)
    address = preview(episode)
    with time_machine.travel(now() + timedelta(seconds=LIFETIME_SECONDS - 60)):
        assert get(address).status == 200
    with time_machine.travel(now() + timedelta(seconds=LIFETIME_SECONDS + STEP_SECONDS)):
        assert get(address).status == 403


def test_a_preview_is_for_its_episode_only(episode: Episode, tmp_path: Path) -> None:
    draft = make_episode(tmp_path, b"draft", status=EpisodeStatus.DRAFT)
    token = preview(episode).partition("?")[2]
    assert get(f"{url(draft)}?{token}").status == 403
    assert get(f"{url(draft)}?preview=").status == 403
    assert get(f"{url(draft)}?preview=x:y:z").status == 403


def test_a_preview_of_what_was_deleted_is_gone(tmp_path: Path) -> None:
    episode = make_episode(tmp_path, deleted_at=now())
    assert get(preview(episode)).status == 404
