"""Requests that CloudFront makes for its listeners, when this server is what it reads."""

from collections.abc import Mapping

from django.utils.crypto import constant_time_compare

from apps.core.addresses import parse
from apps.media.delivery.configuration import cdn

SECRET_HEADER = "X-Longwave-Origin-Secret"  # noqa: S105
_VIEWER_HEADER = "CloudFront-Viewer-Address"


def is_from_cdn(headers: Mapping[str, str]) -> bool:
    """Whether the request carries the secret that only our CDN knows."""
    found = cdn()
    if found is None or not found.origin_secrets:
        return False
    told = headers.get(SECRET_HEADER)
    if told is None:
        return False
    # All are compared, whichever fits: the time taken tells nothing.
    return sum(constant_time_compare(told, secret) for secret in found.origin_secrets) > 0


def viewer_address(headers: Mapping[str, str]) -> str:
    """The listener's address as CloudFront tells it; empty when it doesn't. See is_from_cdn.

    An address and a port; with IPv6 as well it has no brackets, so the last colon parts them.
    """
    told = headers.get(_VIEWER_HEADER, "")
    address = parse(told.rpartition(":")[0])
    return "" if address is None else str(address)
