"""Who asked: addresses behind proxies, what stands for a listener, networks and countries."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core.addresses import client_address, listener_address, parse_networks
from apps.downloads.countries import country_of
from apps.downloads.networks import NetworkSet, data_centres, read_networks

PROXIES = parse_networks(["10.0.0.0/8", "2001:db8:aaaa::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        # A peer that is no proxy of ours can claim what it likes.
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("203.0.113.9", "", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.1.1.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:49152", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", '"[2001:db8::1]"', "2001:db8::1"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8:aaaa::5", "198.51.100.1", "198.51.100.1"),
        # Nothing to the left of garbage proves anything.
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        ("10.0.0.1", "999.1.1.1", "10.0.0.1"),
        # A Unix socket has no address: only a local proxy can be behind it.
        (None, "198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (None, "", ""),
        ("garbage", "198.51.100.1", ""),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_proxy(
    peer: str | None, forwarded_for: str, expected: str
) -> None:
    assert client_address(peer, forwarded_for, PROXIES) == expected


def test_no_header_is_believed_unless_proxies_are_configured(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = []
    assert client_address("127.0.0.1", "198.51.100.1") == "127.0.0.1"
    assert client_address(None, "198.51.100.1") == ""

    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert client_address("127.0.0.1", "198.51.100.1") == "198.51.100.1"


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_text_gives_an_address_or_nothing(peer: str, forwarded_for: str) -> None:
    found = client_address(peer, forwarded_for, PROXIES)

    assert found == "" or listener_address(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:3:4:5:6%eth0", "2001:db8:1:2::/64"),
        ("", ""),
        ("unknown", ""),
        ("203.0.113", ""),
        ("203.0.113.09", ""),
    ],
)
def test_ipv4_stands_whole_and_ipv6_by_its_first_64_bits(text: str, expected: str) -> None:
    assert listener_address(text) == expected


def test_a_set_of_networks_knows_its_edges() -> None:
    networks = NetworkSet(
        parse_networks(["192.0.2.0/25", "192.0.2.128/25", "198.51.100.7", "2001:db8::/32"])
    )

    for inside in ("192.0.2.0", "192.0.2.255", "198.51.100.7", "2001:db8:ffff::1"):
        assert inside in networks
    for outside in ("192.0.1.255", "192.0.3.0", "198.51.100.6", "198.51.100.8", "2001:db9::", "x"):
        assert outside not in networks
    assert "192.0.2.1" not in NetworkSet()


def test_a_list_of_data_centres_may_have_comments(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "networks.txt"
    path.write_text("# clouds\n192.0.2.0/24  # one\n\n2001:db8::/32\n")
    settings.DATACENTER_NETWORKS = path

    assert "192.0.2.77" in data_centres()
    assert "203.0.113.9" not in data_centres()


def test_a_wrong_line_in_the_list_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "networks.txt"
    path.write_text("192.0.2.0/24\nnot a network\n")

    with pytest.raises(ValueError, match="not a network"):
        read_networks(path)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("8.8.8.8", "US"),
        ("::ffff:8.8.8.8", "US"),
        ("2a00:1450::1", "IE"),
        ("10.0.0.1", ""),
        ("", ""),
        ("garbage", ""),
    ],
)
def test_a_country_is_known_or_empty(address: str, country: str) -> None:
    assert country_of(address) == country
