"""How one request for a public file is answered: with the bytes, or with who sends them."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from django.conf import settings

from apps.media.delivery.configuration import CdnWay, cdn
from apps.media.delivery.modes import DeliveryMode, is_direct_only, mode_for
from apps.media.delivery.origin import SECRET_HEADER, is_from_cdn

logger = logging.getLogger(__name__)

_VERSION_DIGITS = 12
PURPOSE = "for"
"""In the query of a signed address: for which of those that share a stored file it is."""


@dataclass(frozen=True, slots=True)
class ElsewhereFile:
    """A public file as bucket and CDN know it."""

    storage_key: str
    purpose: str  # what the log of whoever sends the stored file is to tell: see PURPOSE
    folder: str  # of its address here, and at a CDN that reads this server: ends with a slash
    cdn_name: str
    filename: str
    content_type: str


class Answer(Enum):
    """What a request is answered with."""

    BYTES = "bytes"
    BYTES_FOR_CDN = "bytes for the CDN"  # which asks for itself, or for one listener
    BYTES_TO_KEEP = "bytes for the CDN to keep"
    WAY_TO_BUCKET = "the way to the bucket"
    WAY_TO_CDN = "the way to the CDN"

    def __init__(self, words: str) -> None:
        self.is_redirect = words.startswith("the way")  # somebody else sends the bytes
        # The bytes go to the CDN, in whose logs its listeners are.
        self.is_for_cdn = words.startswith("bytes for")


_BYTES = Answer.BYTES  # to look it up in the class takes longer than to decide


def cdn_name(slug: str, extension: str, sha256: str) -> str:
    """The file name under which a CDN that reads this server keeps one version of a file.

    Another version has another address there, so that no cache can mix the two; and who asks
    *this* server for that name has been led to the CDN already.
    """
    return f"{slug}-{sha256[:_VERSION_DIGITS]}.{extension}"


def decide(headers: Mapping[str, str], name: str, file: ElsewhereFile, choice: str) -> Answer:
    """The answer to a GET or HEAD for this name of the file of a show with this stored choice."""
    if is_direct_only():
        return _BYTES
    mode = mode_for(choice)
    if is_from_cdn(headers):
        is_kept = mode is DeliveryMode.CDN and name == file.cdn_name
        return Answer.BYTES_TO_KEEP if is_kept else Answer.BYTES_FOR_CDN
    if mode is DeliveryMode.DIRECT:
        return Answer.BYTES
    if mode is DeliveryMode.REDIRECT:
        return Answer.WAY_TO_BUCKET
    return Answer.BYTES_FOR_CDN if _is_loop(name, file) else Answer.WAY_TO_CDN


def cache_control_to_keep() -> str:
    """For the CDN to keep, while a listener's own cache asks it again (RFC 9111, 5.2.2.10)."""
    return f"public, max-age=0, s-maxage={settings.CDN_MAX_AGE_SECONDS}, no-transform"


def _is_loop(name: str, file: ElsewhereFile) -> bool:
    """Whether the CDN asks without the secret: leading it to itself again would never end."""
    found = cdn()
    if found is None or found.way is not CdnWay.PUBLIC or name != file.cdn_name:
        return False
    _warn_once()
    return True


@cache
def _warn_once() -> None:
    logger.warning(
        "The CDN asks without a valid %s, so that it keeps nothing: see docs/delivery.md",
        SECRET_HEADER,
    )
