"""CloudFront's signed addresses, judged with the public key as CloudFront judges them."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import time_machine
from asgiref.sync import async_to_sync
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.conf import LazySettings

from apps.media.delivery.configuration import CdnWay, cdn, cdn_problem
from apps.media.delivery.shared_addresses import SharedAddresses
from apps.media.delivery.signing import signed_address

KEY = "renditions/ab/abcdef.mp3"
PURPOSE = "018f9f7e-0000-7000-8000-000000000001"
OF_CLOUDFRONT = {"Expires", "Signature", "Key-Pair-Id"}
NOON = datetime(2026, 10, 14, 12, 0, tzinfo=UTC)


@cache
def private_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return content.decode()


@pytest.fixture
def signed(settings: LazySettings) -> LazySettings:
    """Settings with which CloudFront reads the bucket and lets in who has a signature."""
    settings.S3_BUCKET = "media"
    settings.CDN_DOMAIN = "d111.cloudfront.net"
    settings.CDN_KEY_PAIR_ID = "K2JCJMDEHXQW5F"
    settings.CDN_PRIVATE_KEY = pem(private_key())
    settings.CDN_LIFETIME_SECONDS = 3600
    return settings


def address(key: str = KEY, purpose: str = PURPOSE) -> str:
    return async_to_sync(signed_address)(key, purpose=purpose)


def decoded(text: str) -> bytes:
    """CloudFront's own variant of base64."""
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")))


def is_let_in(url: str, at: datetime) -> bool:
    """What CloudFront does: build the canned policy of the address, verify, look at the clock."""
    parts = urlsplit(url)
    query = parse_qs(parts.query, strict_parsing=True)
    expires = int(query["Expires"][0])
    own = [(name, value) for name, value in parse_qsl(parts.query) if name not in OF_CLOUDFRONT]
    resource = parts._replace(query=urlencode(own)).geturl()
    policy = {
        "Statement": [
            {
                "Resource": resource,
                "Condition": {"DateLessThan": {"AWS:EpochTime": expires}},
            }
        ]
    }
    message = json.dumps(policy, separators=(",", ":")).encode()
    try:
        private_key().public_key().verify(
            decoded(query["Signature"][0]),
            message,
            PKCS1v15(),
            SHA1(),  # noqa: S303
        )
    except InvalidSignature:
        return False
    return query["Key-Pair-Id"] == ["K2JCJMDEHXQW5F"] and at.timestamp() < expires


def test_a_signed_address_leads_to_the_object_and_is_let_in(signed: LazySettings) -> None:
    with time_machine.travel(NOON, tick=False):
        url = address()
    assert url.startswith(f"https://d111.cloudfront.net/{KEY}?for={PURPOSE}&Expires=")
    assert is_let_in(url, NOON)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda url: url.replace("abcdef", "abcdee"),
        lambda url: url.replace("d111", "d112"),
        lambda url: url.replace("000001", "000002"),
        lambda url: url.replace("Expires=1", "Expires=2"),
        lambda url: url.replace("Signature=", "Signature=AAAA")[:-4],
    ],
)
def test_an_address_that_was_changed_is_kept_out(
    signed: LazySettings, tamper: Callable[[str], str]
) -> None:
    with time_machine.travel(NOON, tick=False):
        url = address()
    assert tamper(url) != url
    assert not is_let_in(tamper(url), NOON)


@pytest.mark.parametrize(("minutes", "expected"), [(0, True), (30, True), (61, False)])
def test_an_address_ends_with_its_time(signed: LazySettings, minutes: int, expected: bool) -> None:
    with time_machine.travel(NOON + timedelta(seconds=17), tick=False):
        url = address()
    assert is_let_in(url, NOON + timedelta(minutes=minutes)) is expected


def test_listeners_share_an_address_and_its_end_is_never_near(signed: LazySettings) -> None:
    urls = []
    for minutes in range(0, 120, 5):
        moment = NOON + timedelta(minutes=minutes)
        with time_machine.travel(moment, tick=False):
            urls.append(address())
        expires = int(parse_qs(urlsplit(urls[-1]).query)["Expires"][0])
        assert 1800 < expires - moment.timestamp() <= 3600
    assert len(set(urls)) == 4  # one each half hour


def test_each_purpose_of_a_shared_file_has_its_own_address(signed: LazySettings) -> None:
    other = PURPOSE.replace("000001", "000002")
    with time_machine.travel(NOON, tick=False):
        urls = {address(purpose=purpose) for purpose in (PURPOSE, other, PURPOSE)}
    assert len(urls) == 2
    assert {parse_qs(urlsplit(url).query)["for"][0] for url in urls} == {PURPOSE, other}
    assert all(is_let_in(url, NOON) for url in urls)


def test_all_processes_give_out_the_same_address(signed: LazySettings) -> None:
    with time_machine.travel(NOON, tick=False):
        first = address()
        signed.CDN_LIFETIME_SECONDS = 3600  # forgets what is kept, as another process
        assert address() == first


def test_an_address_is_signed_once_for_many_listeners() -> None:
    signatures: list[tuple[str, int]] = []

    def sign(key: str, expires_at: int) -> str:
        signatures.append((key, expires_at))
        return f"{key}?{expires_at}"

    addresses = SharedAddresses(sign, lifetime_seconds=100, shared_seconds=50)
    for second in (1000, 1020, 1049):
        with time_machine.travel(second, tick=False):
            assert async_to_sync(addresses.find)("a") == "a?1100"
    with time_machine.travel(1050, tick=False):
        assert async_to_sync(addresses.find)("a") == "a?1150"
        assert async_to_sync(addresses.find)("b") == "b?1150"
    assert signatures == [("a", 1100), ("a", 1150), ("b", 1150)]


def test_a_key_in_an_environment_file_may_have_its_line_breaks_escaped(
    signed: LazySettings,
) -> None:
    signed.CDN_PRIVATE_KEY = pem(private_key()).replace("\n", "\\n")
    assert is_let_in(address(), datetime.now(UTC))


def test_a_key_may_be_in_a_file(
    signed: LazySettings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("keys") / "cdn.pem"
    file.write_text(pem(private_key()))
    signed.CDN_PRIVATE_KEY = ""
    signed.CDN_PRIVATE_KEY_FILE = str(file)
    assert is_let_in(address(), datetime.now(UTC))


SECRET = "a-secret-of-the-origin"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"CDN_DOMAIN": ""}, "LONGWAVE_CDN_DOMAIN"),
        ({"CDN_DOMAIN": "https://d111.cloudfront.net"}, "without https://"),
        ({"CDN_KEY_PAIR_ID": ""}, "both"),
        ({"CDN_PRIVATE_KEY": ""}, "both"),
        ({"CDN_PRIVATE_KEY": "not a key"}, "no PEM"),
        ({"CDN_PRIVATE_KEY": "ключ"}, "no PEM"),
        ({"CDN_PRIVATE_KEY": "", "CDN_PRIVATE_KEY_FILE": "/nowhere/cdn.pem"}, "can't be read"),
        ({"S3_BUCKET": None}, "S3_BUCKET"),
        ({"CDN_KEY_PAIR_ID": "", "CDN_PRIVATE_KEY": ""}, "needs a key pair"),
        (
            {"CDN_KEY_PAIR_ID": "", "CDN_PRIVATE_KEY": "", "CDN_ORIGIN_SECRETS": ["short"]},
            "too easy to guess",
        ),
    ],
)
def test_settings_that_do_not_suffice_are_explained(
    signed: LazySettings, changes: dict[str, object], says: str
) -> None:
    for name, value in changes.items():
        setattr(signed, name, value)
    assert cdn() is None
    assert says in cdn_problem()


@pytest.mark.parametrize(
    "key",
    [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)],  # noqa: S505
)
def test_only_keys_that_cloudfront_takes_are_taken(
    signed: LazySettings, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
) -> None:
    signed.CDN_PRIVATE_KEY = pem(key)
    assert cdn() is None
    assert "2048 bits" in cdn_problem()


def test_a_problem_never_tells_the_key(signed: LazySettings) -> None:
    signed.CDN_PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"
    assert "c2VjcmV0" not in cdn_problem()


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({}, CdnWay.SIGNED),
        ({"CDN_ORIGIN_SECRETS": [SECRET]}, CdnWay.SIGNED),
        (
            {"CDN_KEY_PAIR_ID": "", "CDN_PRIVATE_KEY": "", "CDN_ORIGIN_SECRETS": [SECRET]},
            CdnWay.PUBLIC,
        ),
    ],
)
def test_the_key_pair_decides_how_listeners_are_let_in(
    signed: LazySettings, changes: dict[str, object], way: CdnWay
) -> None:
    for name, value in changes.items():
        setattr(signed, name, value)
    found = cdn()
    assert found is not None
    assert found.way is way
    assert cdn_problem() == ""
