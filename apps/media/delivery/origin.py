"""Requests that CloudFront makes for its listeners, when this server is what it reads.

It keeps files, and then its logs count; or it keeps nothing and passes each request on, and then
the request counts. A secret of its own tells which of the two it is.
"""

import re
from collections.abc import Mapping, Sequence

from django.utils.crypto import constant_time_compare

from apps.core.addresses import parse
from apps.media.delivery.configuration import cdn, proxy_secrets

SECRET_HEADER = "X-Longwave-Origin-Secret"  # noqa: S105
_VIEWER_HEADER = "CloudFront-Viewer-Address"
_COUNTRY_HEADER = "CloudFront-Viewer-Country"
_COUNTRY = re.compile(r"[A-Z]{2}")


def is_from_cdn(headers: Mapping[str, str]) -> bool:
    """Whether the request carries the secret that only our CDN knows, which keeps files."""
    found = cdn()
    return found is not None and _knows_one_of(found.origin_secrets, headers)


def is_passed_on(headers: Mapping[str, str]) -> bool:
    """Whether it carries that of a CloudFront which keeps nothing: a listener's own request."""
    return _knows_one_of(proxy_secrets(), headers)


def _knows_one_of(secrets: Sequence[str], headers: Mapping[str, str]) -> bool:
    if not secrets:
        return False
    told = headers.get(SECRET_HEADER)
    if told is None:
        return False
    # All are compared, whichever fits: the time taken tells nothing.
    return sum(constant_time_compare(told, secret) for secret in secrets) > 0


def viewer_country(headers: Mapping[str, str]) -> str:
    """The listener's country (ISO 3166-1) as CloudFront tells it; empty when it doesn't.

    To be believed of a request that proved where it comes from, as the address below.
    """
    told = headers.get(_COUNTRY_HEADER, "")
    return told if _COUNTRY.fullmatch(told) else ""


def viewer_address(headers: Mapping[str, str]) -> str:
    """The listener's address as CloudFront tells it; empty when it doesn't.

    An address and a port; with IPv6 as well it has no brackets, so the last colon parts them.
    """
    told = headers.get(_VIEWER_HEADER, "")
    address = parse(told.rpartition(":")[0])
    return "" if address is None else str(address)
