"""Episodes that a real S3 service sends: led there from the stable address, and followed."""

import hashlib
import http.client
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings

from apps.media.storage import Storage
from podcasts.models import Episode, EpisodeStatus
from podcasts.previews import preview_url
from tests.downloads.test_media_views import AUDIO, get, make_episode, recorded, url
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.s3,
    pytest.mark.django_db,
    pytest.mark.usefixtures("clean_valkey", "s3_store"),
]


@dataclass(frozen=True)
class Followed:
    """What the bucket answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(autouse=True)
def _redirect(s3_store: Storage, settings: LazySettings) -> None:
    settings.DELIVERY = "redirect"


@pytest.fixture
def episode(s3_store: Storage, tmp_path: Path) -> Episode:
    return make_episode(tmp_path)


def led_to(target: str, headers: dict[str, str] | None = None) -> str:
    reply = get(target, headers)
    assert reply.status == 302
    return reply.headers["location"]


def fetch(address: str, headers: dict[str, str] | None = None) -> Followed:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers or {})
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Followed(answer.status, told, answer.read())
    finally:
        connection.close()


def follow(target: str, headers: dict[str, str] | None = None) -> Followed:
    """As a player does: the same request again, at the address that it is led to."""
    return fetch(led_to(target, headers), headers)


def test_the_bucket_sends_the_episode_as_it_would_come_from_here(episode: Episode) -> None:
    found = follow(url(episode))
    assert (found.status, found.body) == (200, AUDIO)
    assert found.headers["content-type"] == "audio/mpeg"
    assert found.headers["content-disposition"] == 'inline; filename="pilot.mp3"'
    assert found.headers["cache-control"] == "private, max-age=21600, immutable, no-transform"
    assert found.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [
        ("bytes=0-1", 0, 2),
        ("bytes=1000-1999", 1000, 2000),
        (f"bytes={len(AUDIO) - 1}-", len(AUDIO) - 1, len(AUDIO)),
        ("bytes=-500", len(AUDIO) - 500, len(AUDIO)),
        (f"bytes=10-{len(AUDIO) * 2}", 10, len(AUDIO)),
    ],
)
def test_ranges_are_exact(asked: str, first: int, stop: int, episode: Episode) -> None:
    found = follow(url(episode), {"Range": asked})
    assert (found.status, found.body) == (206, AUDIO[first:stop])
    assert found.headers["content-range"] == f"bytes {first}-{stop - 1}/{len(AUDIO)}"


def test_what_the_bucket_said_of_a_file_is_understood_when_asking_again(episode: Episode) -> None:
    """Its entity tags and dates are not ours; a player sends them to the stable address."""
    told = follow(url(episode)).headers
    kept = follow(url(episode), {"If-None-Match": told["etag"]})
    assert (kept.status, kept.body) == (304, b"")
    for condition in ("If-Match", "If-Unmodified-Since"):
        value = told["etag" if condition == "If-Match" else "last-modified"]
        resumed = follow(url(episode), {condition: value, "Range": "bytes=100-199"})
        assert (resumed.status, resumed.body) == (206, AUDIO[100:200])


def test_an_address_that_has_expired_is_refused(episode: Episode, settings: LazySettings) -> None:
    settings.REDIRECT_LIFETIME_SECONDS = 2
    address = led_to(url(episode))
    assert fetch(address).body == AUDIO
    wait_until(lambda: fetch(address).status == 403)
    assert follow(url(episode)).body == AUDIO  # the stable one leads to a new one


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("X-Amz-Expires=21600", "X-Amz-Expires=36000"),
        ("audio%2Fmpeg", "text%2Fhtml"),
        ("X-Amz-Signature=", "X-Amz-Signature=0"),
    ],
)
def test_an_address_that_was_changed_is_refused(part: str, other: str, episode: Episode) -> None:
    address = led_to(url(episode))
    assert part in address
    assert fetch(address.replace(part, other)).status == 403


def test_the_bucket_sends_nothing_without_a_signature(episode: Episode) -> None:
    address = led_to(url(episode))
    assert fetch(address.partition("?")[0]).status == 403


def test_a_replaced_file_is_another_address(episode: Episode, tmp_path: Path) -> None:
    before = led_to(url(episode))
    replacing = make_episode(tmp_path, b"another file")
    assert follow(url(replacing)).body == b"another file"
    assert hashlib.sha256(AUDIO).hexdigest() in before
    assert fetch(before).body == AUDIO  # who is in the middle of it hears it to its end


def test_private_audio_comes_from_here_only(tmp_path: Path) -> None:
    draft = make_episode(tmp_path, status=EpisodeStatus.DRAFT)
    assert get(url(draft)).status == 404
    assert draft.audio is not None
    assert draft.audio.rendition is not None
    reply = get(preview_url(draft, draft.audio.rendition), {"Range": "bytes=0-9"})
    assert (reply.status, reply.body) == (206, AUDIO[:10])
    assert reply.headers["cache-control"] == "private, no-store"
    assert recorded() == []
