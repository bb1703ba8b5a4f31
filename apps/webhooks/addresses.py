"""Where messages may go: to the public internet, and to networks that the operator has named.

Anybody may found an organisation, and an endpoint's answers are shown to its people: without this,
webhooks would be a way to look into the network that Longwave runs in.
"""

import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cache
from ipaddress import IPv4Network, IPv6Address, ip_network
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from apps.core.addresses import Address, Network, parse, parse_networks
from apps.webhooks.models import MAX_URL

# Public as Python sees it, and yet a way to somewhere else: 6to4's relays (RFC 7526), and what
# IETF protocols use (RFC 6890).
_NOT_PUBLIC = (IPv4Network("192.88.99.0/24"), IPv4Network("192.0.0.0/24"))
# The only IPv6 addresses in use on the internet (RFC 4291, 2.4). NAT64's prefix, site-local and
# IPv4-compatible addresses lie outside, and would lead elsewhere.
_GLOBAL_UNICAST = ip_network("2000::/3")
_DOCUMENTATION = ip_network("3fff::/20")  # RFC 9637; younger than Python's table

_LOOKUP_SECONDS = 3.0
# No look-up waits for another one: whoever waits holds a request.
_LOOKUPS_AT_ONCE = 4
_lookups = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="webhook-lookup")
_free_lookups = BoundedSemaphore(_LOOKUPS_AT_ONCE)


class RefusedAddressError(OSError):
    """An address to which nothing is sent; an OSError, so that the next one is tried."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not an address on the public internet")


def is_allowed(address: Address) -> bool:
    """Whether a connection to this address may be made."""
    if any(address.version == one.version and address in one for one in _named_networks()):
        return True
    return _is_public(address)


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST and address not in _DOCUMENTATION
    return not any(address in network for network in _NOT_PUBLIC)


@cache
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    return parse_networks(texts)


def _named_networks() -> tuple[Network, ...]:
    return _networks(tuple(settings.WEBHOOK_NETWORKS))


def open_socket(family: int, kind: int, protocol: int, host: str) -> socket.socket:
    """A socket for a connection to exactly this numeric address; raises RefusedAddressError.

    It is asked after the name was looked up, so that no answer of a name server can differ from
    what was checked.
    """
    address = parse(f"[{host}]" if ":" in host else host)
    if address is None or not is_allowed(address):
        raise RefusedAddressError(host)
    return socket.socket(family, kind, protocol)


def check_url(url: str) -> str:
    """The address as it is stored; ValidationError says in words what is wrong with it.

    A name that can't be looked up now is no error: it may be set up later, and the log of
    deliveries will tell.
    """
    url = url.strip()
    parts = _split(url)
    schemes = ("https", "http") if settings.WEBHOOK_ALLOW_HTTP else ("https",)
    if parts.scheme not in schemes:
        raise _invalid("The address must begin with https://.", "https_required")
    if not parts.hostname:
        raise _invalid("The address has no host.", "invalid")
    if parts.username is not None or parts.password is not None:
        raise _invalid("The address must not hold a user name or a password.", "credentials")
    if parts.fragment or len(url) > MAX_URL or not url.isprintable() or " " in url:
        raise _invalid(
            f"The address must have at most {MAX_URL} characters, no spaces and no “#”.", "invalid"
        )
    for address in _look_up(parts.hostname, parts.port or 443):
        if not is_allowed(address):
            raise _invalid(
                f"{parts.hostname} is {address}, which is not on the public internet. Webhooks go "
                "to public addresses only.",
                "private_address",
            )
    return url


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no number
    except ValueError as error:
        raise _invalid("This is not an address of the web.", "invalid") from error
    return parts


def _look_up(host: str, port: int) -> list[Address]:
    """What the name stands for; nothing when no name server says so soon enough.

    Nothing, too, while names that hang take all look-ups: addresses are checked again when a
    message is sent.
    """
    if not _free_lookups.acquire(blocking=False):
        return []
    lookup = _lookups.submit(_get_addresses, host, port)
    try:
        found = lookup.result(timeout=_LOOKUP_SECONDS)
    except (FutureTimeoutError, OSError, UnicodeError):
        return []
    hosts = [str(sockaddr[0]) for *_, sockaddr in found]
    addresses = [parse(f"[{host}]" if ":" in host else host) for host in hosts]
    return [address for address in addresses if address is not None]


def _get_addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """In a thread, which a name that hangs holds for longer than anybody waits for it."""
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    finally:
        _free_lookups.release()


def _invalid(message: str, code: str) -> ValidationError:
    return ValidationError({"url": ValidationError(message, code=code)})
