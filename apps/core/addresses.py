"""Who asked: the client's address behind trusted proxies, and what it stands for."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from socket import AF_INET, inet_pton
from urllib.parse import urlsplit

from django.conf import settings

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

# A chain longer than this is an attack on the parser, not a path through proxies.
_MAX_HOPS = 32
_LISTENER_BITS_V6 = 64


def parse(text: str) -> Address | None:
    """An address as proxies write it: with a port, brackets or a zone; None for anything else.

    An IPv4 address mapped into IPv6 (``::ffff:192.0.2.1``) is the IPv4 address.
    """
    if packed := _packed_v4(text):
        return IPv4Address(packed)
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _packed_v4(text: str) -> bytes | None:
    """What is an IPv4 address without anything around it: nearly always, and fast."""
    try:
        return inet_pton(AF_INET, text)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=65536)
def listener_address(text: str) -> str:
    """What stands for one listener: IPv4 whole, the first 64 bits of IPv6; "" for garbage."""
    if _packed_v4(text):
        return text
    address = parse(text)
    if address is None:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    host_bits = address.max_prefixlen - _LISTENER_BITS_V6
    return f"{IPv6Address(int(address) >> host_bits << host_bits)}/{_LISTENER_BITS_V6}"


def host_of(url: str) -> str:
    """The host in an address of the web; "" for what has none."""
    if not url:
        return ""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks in CIDR form; raises ValueError for what is none."""
    return tuple(ip_network(text.strip(), strict=False) for text in texts if text.strip())


@cache
def _trusted(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return parse_networks(texts)


def trusted_proxies() -> tuple[Network, ...]:
    """The peers whose ``X-Forwarded-For`` is believed, from the settings."""
    return _trusted(tuple(settings.TRUSTED_PROXIES))


def is_believed(peer: str | None, trusted: Sequence[Network] | None = None) -> bool:
    """Whether what a peer says of the client's address and scheme is believed.

    A peer without an address is a Unix socket, so a local proxy: believed when any is configured.
    """
    proxies = trusted_proxies() if trusted is None else trusted
    return bool(proxies) and (peer in (None, "") or _is_trusted(parse(peer or ""), proxies))


def client_address(
    peer: str | None, forwarded_for: str, trusted: Sequence[Network] | None = None
) -> str:
    """The rightmost address that is not a trusted proxy's; "" when there is none.

    Everything to the left of it was written by the client and proves nothing.
    """
    if trusted is None:
        return _known_client_address(peer, forwarded_for, tuple(settings.TRUSTED_PROXIES))
    return _client_address(peer, forwarded_for, trusted)


@lru_cache(maxsize=65536)  # a listener comes with many small ranges
def _known_client_address(
    peer: str | None, forwarded_for: str, trusted_proxies: tuple[str, ...]
) -> str:
    return _client_address(peer, forwarded_for, _trusted(trusted_proxies))


def _client_address(peer: str | None, forwarded_for: str, proxies: Sequence[Network]) -> str:
    client = parse(peer or "")
    if not is_believed(peer, proxies):
        return "" if client is None else str(client)
    for hop in reversed(forwarded_for.split(",")[-_MAX_HOPS:]):
        address = parse(hop)
        if address is None:
            break
        client = address
        if not _is_trusted(address, proxies):
            break
    return "" if client is None else str(client)


def _is_trusted(address: Address | None, proxies: Sequence[Network]) -> bool:
    return address is not None and any(
        address.version == network.version and address in network for network in proxies
    )
