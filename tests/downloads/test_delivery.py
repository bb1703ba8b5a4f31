"""Who sends an episode's audio: every mode, asked at the stable address."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.core.clock import now
from apps.downloads.agents import classify
from apps.downloads.hit import read_hit
from apps.downloads.rules import Accepted, DropReason, judge
from apps.downloads.window import epoch_ms, open_day
from podcasts import urls
from podcasts.media_lookup import forget
from podcasts.models import Episode, EpisodeStatus, Show
from podcasts.previews import preview_url
from tests.downloads.test_media_views import AUDIO, get, make_episode, recorded, url
from tests.media.test_cdn_signing import pem, private_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

SHA256 = hashlib.sha256(AUDIO).hexdigest()
CDN = "d111.cloudfront.net"
SECRET = "a-secret-of-the-origin"
FROM_CDN = {"X-Longwave-Origin-Secret": SECRET}
CDN_NAME = f"pilot-{SHA256[:12]}.mp3"

type Prepare = Callable[[LazySettings], None]


def direct(settings: LazySettings) -> None:
    """As after an installation."""


def bucket(settings: LazySettings) -> None:
    """There is a bucket; nobody asks it here, for an address is signed without it."""
    settings.S3_BUCKET = "media"
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "longwave"


def public_cdn(settings: LazySettings) -> None:
    """CloudFront reads this server."""
    settings.CDN_DOMAIN = CDN
    settings.CDN_ORIGIN_SECRETS = ["the-next-secret-of-it", SECRET]


def signed_cdn(settings: LazySettings) -> None:
    """CloudFront reads the bucket."""
    bucket(settings)
    settings.CDN_DOMAIN = CDN
    settings.CDN_KEY_PAIR_ID = "K2JCJMDEHXQW5F"
    settings.CDN_PRIVATE_KEY = pem(private_key())


WAYS = {
    "direct": (direct, "direct"),
    "redirect": (bucket, "redirect"),
    "signed": (signed_cdn, "cdn"),
    "public": (public_cdn, "cdn"),
}
REDIRECTS = ["redirect", "signed", "public"]


@pytest.fixture
def episode(tmp_path: Path) -> Episode:
    """A published episode, stored on the disk before a test names a bucket."""
    return make_episode(tmp_path)


def deliver(settings: LazySettings, way: str) -> None:
    """From now on the whole installation delivers so."""
    prepare, settings.DELIVERY = WAYS[way]
    prepare(settings)


def location(episode: Episode, headers: dict[str, str] | None = None) -> str:
    reply = get(url(episode), headers)
    assert reply.status == 302
    assert reply.body == b""
    return reply.headers["location"]


def reason_of(hit: dict[str, object]) -> object:
    """What the rules make of a recorded hit."""
    parsed = read_hit(json.dumps(hit).encode())
    day = open_day(parsed.at, now_ms=epoch_ms(now()))
    return judge(parsed, agent=classify(parsed.agent), day=day, data_centres=())


# --- Where listeners are led ----------------------------------------------------------------------


def test_a_redirect_leads_to_the_bucket_with_the_episodes_type_and_name(
    episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "redirect")
    found = urlsplit(location(episode))
    query = parse_qs(found.query)
    assert found.netloc == "127.0.0.1:9"
    assert found.path == f"/media/renditions/{SHA256[:2]}/{SHA256}.mp3"
    assert query["response-content-type"] == ["audio/mpeg"]
    assert query["response-content-disposition"] == ['inline; filename="pilot.mp3"']
    assert query["response-cache-control"] == ["private, max-age=21600, immutable, no-transform"]
    assert int(query["X-Amz-Expires"][0]) <= settings.REDIRECT_LIFETIME_SECONDS


def test_a_signed_cdn_gets_the_stored_object(episode: Episode, settings: LazySettings) -> None:
    deliver(settings, "signed")
    found = urlsplit(location(episode))
    assert found.netloc == CDN
    assert found.path == f"/renditions/{SHA256[:2]}/{SHA256}.mp3"
    query = parse_qs(found.query)
    assert set(query) == {"for", "Expires", "Signature", "Key-Pair-Id"}
    assert query["for"] == [str(episode.id)]  # another one may have the very same file


def test_a_public_cdn_gets_an_address_that_names_the_version(
    episode: Episode, settings: LazySettings, tmp_path: Path
) -> None:
    deliver(settings, "public")
    assert location(episode) == f"https://{CDN}/media/{episode.id}/{CDN_NAME}"
    episode.audio = make_episode(tmp_path, b"another file").audio
    episode.save()
    forget([episode.id])
    assert location(episode).endswith(f"-{hashlib.sha256(b'another file').hexdigest()[:12]}.mp3")


@pytest.mark.parametrize("way", REDIRECTS)
def test_a_redirect_is_not_kept_and_may_be_followed_from_any_page(
    way: str, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, way)
    reply = get(url(episode), {"Range": "bytes=0-", "Origin": "https://player.example"})
    assert reply.status == 302
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["content-length"] == "0"
    # These speak of the file, which somebody else sends with headers of their own.
    assert not {"etag", "last-modified", "content-type", "content-range"} & set(reply.headers)


@pytest.mark.parametrize("way", REDIRECTS)
def test_a_query_is_not_passed_on(way: str, episode: Episode, settings: LazySettings) -> None:
    deliver(settings, way)
    reply = get(f"{url(episode)}?utm_source=feed&response-content-type=text/html")
    assert "utm_source" not in reply.headers["location"]
    assert "text/html" not in reply.headers["location"]


@pytest.mark.parametrize("way", ["signed", "public"])
def test_a_cdn_answers_head_too(way: str, episode: Episode, settings: LazySettings) -> None:
    deliver(settings, way)
    assert get(url(episode), method="HEAD").status == 302


def test_head_is_answered_here_where_addresses_hold_for_get_only(
    episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "redirect")
    reply = get(url(episode), method="HEAD")
    assert (reply.status, reply.headers["content-length"]) == (200, str(len(AUDIO)))
    assert reply.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize("way", REDIRECTS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": f'"{SHA256}"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"of-somebody-else"'}, 302),
        ({"If-Match": f'"{SHA256}"'}, 302),
        ({"If-Match": f'"{"0" * 64}"'}, 412),
        ({"If-Match": "nonsense"}, 412),
        # The tag and the date of who sends the bytes: they are for it to judge.
        ({"If-Match": '"9b2cf535f27731c974343645a3985328"'}, 302),
        ({"If-Match": f'"{"0" * 64}", "9b2cf535f27731c974343645a3985328-4"'}, 302),
        ({"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 302),
        ({"Range": "bytes=99999999-"}, 416),
        ({"Range": "bytes=0-1"}, 302),
        ({"Range": "bytes=5-", "If-Range": '"of-somebody-else"'}, 302),
    ],
)
def test_conditions_are_judged_before_anybody_is_led_elsewhere(
    way: str, headers: dict[str, str], status: int, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, way)
    assert get(url(episode), headers).status == status


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 204), ("POST", 405), ("PUT", 405)])
def test_other_methods_are_answered_alike_in_every_mode(
    way: str, method: str, status: int, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, way)
    reply = get(url(episode), method=method)
    assert reply.status == status
    assert "location" not in reply.headers


def test_audio_is_sent_from_here_when_no_address_can_be_signed(
    episode: Episode, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(settings, "redirect")
    settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = None
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    reply = get(url(episode))
    assert reply.status == 503  # not from this test's bucket, which answers nobody, but tried
    assert "location" not in reply.headers


# --- Which mode a show has ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "choice", "status"),
    [
        ("redirect", "", 302),
        ("redirect", "direct", 503),  # sent from here: this test's bucket answers nobody
        ("redirect", "redirect", 302),
        ("redirect", "cdn", 503),  # not possible here, so direct
        ("public", "", 302),
        ("public", "cdn", 302),
        ("public", "direct", 200),
        ("public", "redirect", 200),
        ("direct", "", 200),
        ("direct", "redirect", 200),
        ("direct", "cdn", 200),
    ],
)
def test_a_show_may_differ_from_the_installation_in_what_that_can_do(
    way: str, choice: str, status: int, episode: Episode, settings: LazySettings
) -> None:
    Show.objects.update(delivery=choice)
    deliver(settings, way)
    assert get(url(episode)).status == status


def test_an_unknown_mode_of_the_installation_is_direct(
    episode: Episode, settings: LazySettings
) -> None:
    public_cdn(settings)
    settings.DELIVERY = "CDN"
    assert get(url(episode)).status == 200


@pytest.mark.parametrize("way", WAYS)
def test_the_enclosure_is_the_same_in_every_mode(
    way: str, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, way)
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    address = urls.enclosure_url(episode, episode.audio.rendition)
    assert address == f"{settings.BASE_URL}/media/{episode.id}/pilot.mp3"


@pytest.mark.parametrize("way", WAYS)
def test_a_warm_episode_costs_no_query_in_any_mode(
    way: str,
    episode: Episode,
    settings: LazySettings,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    deliver(settings, way)
    with django_assert_num_queries(2):
        get(url(episode))
    with django_assert_num_queries(0):
        get(url(episode))


# --- What the CDN gets from here ------------------------------------------------------------------


def test_the_cdn_is_given_the_bytes_to_keep(episode: Episode, settings: LazySettings) -> None:
    deliver(settings, "public")
    settings.CDN_MAX_AGE_SECONDS = 86_400
    reply = get(url(episode, CDN_NAME), FROM_CDN | {"Range": "bytes=10-19"})
    assert (reply.status, reply.body) == (206, AUDIO[10:20])
    assert reply.headers["cache-control"] == "public, max-age=0, s-maxage=86400, no-transform"
    assert reply.headers["etag"] == f'"{SHA256}"'
    assert get(url(episode, CDN_NAME), FROM_CDN, "HEAD").status == 200


@pytest.mark.parametrize("name", ["pilot.mp3", "pilot-000000000000.mp3", "x"])
def test_the_cdn_keeps_nothing_under_a_name_of_no_version(
    name: str, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "public")
    reply = get(url(episode, name), FROM_CDN)
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-cache, no-transform")


@pytest.mark.parametrize("choice", ["direct", "redirect"])
def test_the_cdn_keeps_nothing_of_a_show_that_it_does_not_serve(
    choice: str, episode: Episode, settings: LazySettings
) -> None:
    Show.objects.update(delivery=choice)
    deliver(settings, "public")
    reply = get(url(episode, CDN_NAME), FROM_CDN)
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-cache, no-transform")


def test_every_secret_is_accepted_while_they_are_rotated(
    episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "public")
    for secret in settings.CDN_ORIGIN_SECRETS:
        assert get(url(episode, CDN_NAME), {"X-Longwave-Origin-Secret": secret}).status == 200


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "é"])
def test_who_does_not_know_the_secret_is_led_to_the_cdn(
    secret: str, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "public")
    told = secret.encode().decode("latin-1")
    assert get(url(episode), {"X-Longwave-Origin-Secret": told}).status == 302


def test_a_secret_means_nothing_where_the_cdn_reads_the_bucket(
    episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "signed")
    settings.CDN_ORIGIN_SECRETS = [SECRET]
    assert get(url(episode), FROM_CDN).status == 302


def test_a_cdn_that_lacks_the_secret_is_not_led_to_itself(
    episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "public")
    followed = urlsplit(location(episode)).path
    reply = get(followed)
    assert (reply.status, reply.body) == (200, AUDIO)
    assert reply.headers["cache-control"] == "no-cache, no-transform"
    assert recorded()[-1]["via"] == "cdn"


# --- What is counted ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", REDIRECTS)
def test_a_redirect_is_recorded_as_the_request_of_a_listener(
    way: str, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, way)
    location(episode)
    (hit,) = recorded()
    assert (hit["status"], hit["sent"], hit["ip"]) == (302, [], "192.0.2.7")
    assert "via" not in hit
    verdict = reason_of(hit)
    assert isinstance(verdict, Accepted)
    assert (verdict.is_sent_on, verdict.sent) == (True, ())


@pytest.mark.parametrize(
    ("told", "ip"),
    [
        ({}, "192.0.2.7"),
        ({"CloudFront-Viewer-Address": "198.51.100.10:46532"}, "198.51.100.10"),
        ({"CloudFront-Viewer-Address": "2001:db8::8a2e:370:7334:46532"}, "2001:db8::8a2e:370:7334"),
        ({"CloudFront-Viewer-Address": "[2001:db8::1]:46532"}, "2001:db8::1"),
        ({"CloudFront-Viewer-Address": "nobody"}, "192.0.2.7"),
    ],
)
def test_what_the_cdn_fetches_is_no_download(
    told: dict[str, str], ip: str, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "public")
    assert get(url(episode, CDN_NAME), FROM_CDN | told).body == AUDIO
    (hit,) = recorded()
    assert (hit["via"], hit["ip"], hit["sent"]) == ("cdn", ip, [[0, len(AUDIO)]])
    assert reason_of(hit) is DropReason.CDN_FETCH


def test_what_the_cdn_fetches_of_a_direct_show_is_no_download_either(
    episode: Episode, settings: LazySettings
) -> None:
    """Its listeners are in the CDN's logs all the same."""
    Show.objects.update(delivery="direct")
    deliver(settings, "public")
    get(url(episode), FROM_CDN)
    assert reason_of(recorded()[0]) is DropReason.CDN_FETCH


def test_nobody_else_chooses_the_address_that_is_recorded(
    episode: Episode, settings: LazySettings
) -> None:
    Show.objects.update(delivery="direct")
    deliver(settings, "public")
    get(url(episode), {"CloudFront-Viewer-Address": "198.51.100.10:46532"})
    (hit,) = recorded()
    assert hit["ip"] == "192.0.2.7"
    assert "via" not in hit


# --- CloudFront in front of this server, keeping nothing ------------------------------------------

PROXY_SECRET = "a-secret-of-the-proxy"
PASSED_ON = {
    "X-Longwave-Origin-Secret": PROXY_SECRET,
    "CloudFront-Viewer-Address": "2001:db8::1:46532",
    "CloudFront-Viewer-Country": "NZ",
}


@pytest.mark.parametrize("way", WAYS)
def test_what_cloudfront_only_passes_on_counts_for_its_listener_and_country(
    way: str, episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, way)
    settings.CDN_PROXY_SECRETS = ["the-next-of-the-proxy", PROXY_SECRET]
    assert get(url(episode), PASSED_ON).status == (200 if way == "direct" else 302)
    (hit,) = recorded()
    assert (hit["ip"], hit["country"], "via" in hit) == ("2001:db8::1", "NZ", False)
    assert isinstance(reason_of(hit), Accepted)


@pytest.mark.parametrize(
    ("secrets", "changed"),
    [
        ([], {}),
        ([PROXY_SECRET], {"X-Longwave-Origin-Secret": "wrong"}),
        ([PROXY_SECRET], {"X-Longwave-Origin-Secret": ""}),
        ([PROXY_SECRET, "short"], {}),
    ],
)
def test_nobody_else_chooses_a_country_or_an_address(
    secrets: list[str], changed: dict[str, str], episode: Episode, settings: LazySettings
) -> None:
    settings.CDN_PROXY_SECRETS = secrets
    get(url(episode), PASSED_ON | changed)
    (hit,) = recorded()
    assert (hit["ip"], "country" in hit) == ("192.0.2.7", False)


@pytest.mark.parametrize("told", ["", "nz", "NZL", "N", "N1", "NZ\n", "É?"])
def test_a_country_is_a_code_of_two_letters(
    told: str, episode: Episode, settings: LazySettings
) -> None:
    settings.CDN_PROXY_SECRETS = [PROXY_SECRET]
    get(url(episode), PASSED_ON | {"CloudFront-Viewer-Country": told.encode().decode("latin-1")})
    assert "country" not in recorded()[0]


def test_a_cdn_that_keeps_files_is_not_taken_for_one_that_passes_on(
    episode: Episode, settings: LazySettings
) -> None:
    deliver(settings, "public")
    settings.CDN_PROXY_SECRETS = [PROXY_SECRET]
    get(url(episode, CDN_NAME), PASSED_ON | FROM_CDN)
    (hit,) = recorded()
    assert (hit["via"], "country" in hit) == ("cdn", False)
    assert reason_of(hit) is DropReason.CDN_FETCH


# --- What is not public ---------------------------------------------------------------------------

PRIVATE: dict[str, dict[str, Any]] = {
    "draft": {"status": EpisodeStatus.DRAFT},
    "scheduled": {
        "status": EpisodeStatus.SCHEDULED,
        "published_at": now() + timedelta(days=365),
    },
    "unpublished": {"status": EpisodeStatus.UNPUBLISHED},
    "in the trash": {"deleted_at": now()},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("headers", [{}, FROM_CDN])
@pytest.mark.parametrize("state", PRIVATE)
def test_what_is_private_has_no_address_elsewhere_and_is_kept_nowhere(
    state: str, headers: dict[str, str], way: str, tmp_path: Path, settings: LazySettings
) -> None:
    episode = make_episode(tmp_path, **PRIVATE[state])
    deliver(settings, way)
    for name in ("pilot.mp3", CDN_NAME):
        for method in ("GET", "HEAD"):
            reply = get(url(episode, name), headers, method)
            assert (reply.status, reply.headers["cache-control"]) == (404, "no-store")
            assert "location" not in reply.headers


@pytest.mark.parametrize("way", ["direct", "public"])
@pytest.mark.parametrize("headers", [{}, FROM_CDN])
@pytest.mark.parametrize("state", ["draft", "published"])
def test_a_preview_comes_from_here_and_is_kept_nowhere(
    state: str, headers: dict[str, str], way: str, tmp_path: Path, settings: LazySettings
) -> None:
    episode = make_episode(tmp_path, **PRIVATE.get(state, {}))
    deliver(settings, way)
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    address = preview_url(episode, episode.audio.rendition)
    reply = get(address, headers)
    assert (reply.status, reply.body) == (200, AUDIO)
    assert reply.headers["cache-control"] == "private, no-store"
    assert recorded() == []


@pytest.mark.parametrize("way", ["redirect", "signed"])
def test_a_preview_gets_no_signed_address_either(
    way: str, tmp_path: Path, settings: LazySettings
) -> None:
    episode = make_episode(tmp_path, status=EpisodeStatus.DRAFT)
    deliver(settings, way)
    assert episode.audio is not None
    assert episode.audio.rendition is not None
    reply = get(preview_url(episode, episode.audio.rendition))
    assert reply.status == 503  # this test's bucket answers nobody
    assert "location" not in reply.headers


# --- Pages ----------------------------------------------------------------------------------------


POLICIES = """
from hosting import settings
from apps.media.storage.s3 import S3Storage
from django.conf import settings as configured

configured.configure(settings)
address = S3Storage.from_settings().presigned_get("a.mp3", lifetime_seconds=60)
print("/".join(address.split("/")[:3]))
print(*settings.SECURE_CSP["media-src"])
print(*settings.SECURE_CSP["img-src"])
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"S3_REGION": "us-east-1"},
        {"S3_REGION": "eu-central-1"},
        {"S3_ENDPOINT_URL": "https://s3.example.org"},
    ],
)
def test_pages_let_their_players_follow_to_bucket_and_cdn(environment: dict[str, str]) -> None:
    """Settings are read once: in a process of their own."""
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = subprocess.run(
        [sys.executable, "-c", POLICIES],
        env=os.environ | keys | {"S3_BUCKET": "ours", "LONGWAVE_CDN_DOMAIN": CDN} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    bucket_origin, *policies = done.stdout.splitlines()
    for policy in policies:
        assert {"'self'", bucket_origin, f"https://{CDN}"} <= set(policy.split())


def test_pages_of_a_plain_installation_play_from_here_only() -> None:
    policy = Client().get("/").headers["Content-Security-Policy"]
    assert "media-src 'self';" in policy
