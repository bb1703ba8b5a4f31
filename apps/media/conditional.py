"""Whether a conditional request goes on: preconditions and If-Range, RFC 9110 section 13."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum

from django.utils.http import parse_http_date_safe

# Section 8.8.3: an opaque tag is anything printable but a quote; commas may stand inside.
_ENTITY_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_ENTITY_TAG_LIST = re.compile(rf"[ \t,]*(?:{_ENTITY_TAG.pattern}[ \t]*(?:,[ \t,]*|$))+")


class Outcome(Enum):
    """What the preconditions say."""

    PROCEED = "proceed"
    NOT_MODIFIED = "not modified"  # 304
    FAILED = "failed"  # 412


def evaluate(
    method: str, headers: Mapping[str, str], *, etag: str, last_modified: datetime
) -> Outcome:
    """The outcome for a representation that exists, in the order of section 13.2.2.

    `headers` is looked up by names such as `If-None-Match`; `etag` includes its quotes.
    """
    if not _state_is_expected(headers, etag, last_modified):
        return Outcome.FAILED
    if _client_has_it(method, headers, etag, last_modified):
        return Outcome.NOT_MODIFIED if method in {"GET", "HEAD"} else Outcome.FAILED
    return Outcome.PROCEED


def _state_is_expected(headers: Mapping[str, str], etag: str, last_modified: datetime) -> bool:
    """If-Match, or else If-Unmodified-Since."""
    if (if_match := headers.get("If-Match")) is not None:
        return _any_matches(if_match, etag, weakly=False)
    since = _date(headers.get("If-Unmodified-Since"))
    return since is None or _to_the_second(last_modified) <= since


def _client_has_it(
    method: str, headers: Mapping[str, str], etag: str, last_modified: datetime
) -> bool:
    """If-None-Match, or else (for GET and HEAD only) If-Modified-Since."""
    if (if_none_match := headers.get("If-None-Match")) is not None:
        return _any_matches(if_none_match, etag, weakly=True)
    if method not in {"GET", "HEAD"}:
        return False
    since = _date(headers.get("If-Modified-Since"))
    return since is not None and _to_the_second(last_modified) <= since


def range_applies(if_range: str | None, *, etag: str, last_modified: datetime) -> bool:
    """Whether the Range header is to be honoured: section 13.1.5, which allows strong ones only.

    A date must be the same, not merely later. It counts as strong (section 8.8.2.2) because two
    versions of a file are never made within one second: each takes an upload and an encoding.
    """
    if if_range is None:
        return True
    if _ENTITY_TAG.fullmatch(if_range):
        return _is_strong(if_range) and if_range == etag
    return _date(if_range) == _to_the_second(last_modified)


def _any_matches(field: str, etag: str, *, weakly: bool) -> bool:
    """Whether a list of entity tags, or `*`, names this one; a malformed list names none."""
    if field.strip(" \t") == "*":
        return True
    if not _ENTITY_TAG_LIST.fullmatch(field):
        return False
    tags = _ENTITY_TAG.findall(field)
    if weakly:
        return etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags}
    return _is_strong(etag) and etag in tags


def _is_strong(etag: str) -> bool:
    return not etag.startswith("W/")


def _date(field: str | None) -> int | None:
    """Seconds since 1970 of a date in any format of section 5.6.7; None if there is none."""
    return None if field is None else parse_http_date_safe(field)


def _to_the_second(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
