"""Where messages may go."""

import socket
import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from apps.core.addresses import parse
from apps.webhooks.addresses import RefusedAddressError, check_url, is_allowed, open_socket

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::6810:85e5", "2a00:1450:4001:80b::200e"]
PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",  # metadata of clouds
    "100.64.0.1",  # carrier-grade NAT
    "100.100.100.200",  # metadata of another cloud
    "192.0.0.192",  # of yet another
    "192.0.2.1",  # documentation
    "192.88.99.1",  # 6to4's relays
    "198.18.0.1",  # benchmarks
    "224.0.0.1",  # multicast
    "240.0.0.1",  # reserved
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",  # IPv4 in disguise
    "::ffff:169.254.169.254",
    "::7f00:1",  # IPv4-compatible
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",  # 6to4
    "2001:0:7f00:1::",  # Teredo
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",  # metadata again
    "fec0::1",  # site-local
    "ff02::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",  # discard
    "5f00::1",  # segment routing
]


def allowed(text: str) -> bool:
    address = parse(f"[{text}]" if ":" in text else text)
    assert address is not None
    return is_allowed(address)


@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_on_the_public_internet_are_allowed(text: str) -> None:
    assert allowed(text)


@pytest.mark.parametrize("text", PRIVATE)
def test_no_other_address_is(text: str) -> None:
    assert not allowed(text)
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    with pytest.raises(RefusedAddressError, match="public internet"):
        open_socket(family, socket.SOCK_STREAM, 0, text)


def test_an_operator_may_name_networks(settings: Settings) -> None:
    settings.WEBHOOK_NETWORKS = ["10.1.0.0/16", "fd00::/8"]
    assert allowed("10.1.2.3")
    assert allowed("::ffff:10.1.2.3")
    assert allowed("fd12::1")
    assert not allowed("10.2.0.1")
    assert not allowed("127.0.0.1")


def code_of(url: str) -> str:
    """The code with which the address is refused; "" when it is not."""
    try:
        check_url(url)
    except ValidationError as error:
        return str(error.error_dict["url"][0].code)
    return ""


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://93.184.216.34/hooks?a=b", ""),
        ("https://[2606:4700::6810:85e5]:8443/", ""),
        ("https://name.that.does.not.exist.invalid/", ""),  # it may exist tomorrow
        ("http://93.184.216.34/", "https_required"),
        ("ftp://93.184.216.34/", "https_required"),
        ("javascript:alert(1)", "https_required"),
        ("93.184.216.34/hooks", "https_required"),
        ("https:///hooks", "invalid"),
        ("https://[::1/", "invalid"),
        ("https://93.184.216.34:port/", "invalid"),
        ("https://93.184.216.34:99999/", "invalid"),
        ("https://93.184.216.34/#there", "invalid"),
        ("https://93.184.216.34/with space", "invalid"),
        ("https://93.184.216.34/" + "a" * 500, "invalid"),
        ("https://me:secret@93.184.216.34/", "credentials"),
        ("https://me@93.184.216.34/", "credentials"),
        ("https://127.0.0.1/", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
        ("https://2130706433/", "private_address"),  # 127.0.0.1 as one number
        ("https://0x7f.1/", "private_address"),
        ("https://localhost/", "private_address"),
    ],
)
def test_an_address_is_refused_with_the_reason(url: str, code: str) -> None:
    assert code_of(url) == code


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(host: str, port: int, **kwargs: Any) -> list[tuple[Any, ...]]:
        return [(2, 1, 6, "", (address, port)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    assert code_of("https://both.example.com/") == "private_address"


def test_names_that_hang_keep_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on, hanging = threading.Event(), threading.Semaphore(0)

    def hangs(host: str, port: int, **kwargs: Any) -> list[tuple[Any, ...]]:
        hanging.release()
        assert may_go_on.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    monkeypatch.setattr("apps.webhooks.addresses._LOOKUP_SECONDS", 20.0)
    stuck = [threading.Thread(target=code_of, args=[f"https://{n}.example/"]) for n in range(4)]
    for one in stuck:
        one.start()
    assert all(hanging.acquire(timeout=20) for _ in stuck)
    answered: list[str] = []
    fifth = threading.Thread(target=lambda: answered.append(code_of("https://5.example/")))
    fifth.start()
    fifth.join(timeout=5)
    is_answered = answered == [""]
    may_go_on.set()
    for one in [*stuck, fifth]:
        one.join(timeout=20)
    assert is_answered
    # And the places are free again.
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 1))])
    assert code_of("https://private.example/") == "private_address"


def test_plain_http_is_an_operators_choice(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True
    assert code_of("http://93.184.216.34/") == ""
    assert code_of("http://10.0.0.1/") == "private_address"
