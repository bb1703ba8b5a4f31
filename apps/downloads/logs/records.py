"""One request as an access log tells it, whatever the log's format."""

import json
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from apps.core.addresses import host_of
from apps.downloads.intervals import Interval
from apps.media.ranges import NoRange, select_ranges

SEVERAL_RANGES = "several"
"""An asked range where the log shows that there were several, but not which."""

# What the header fields of an answer are taken to weigh at most (docs/cdn-logs.md).
_HEAD_BYTES = 1024
# No request is older than the web, nor from a far future; PostgreSQL's bigint holds both.
_FIRST_MS, _LAST_MS = 631_152_000_000, 32_503_680_000_000


class BadLineError(ValueError):
    """A line that is no record; the message says why and names no address."""


class LogRecord(NamedTuple):
    """What a log says of one request. Text that the log leaves out is empty.

    ``began_at_ms`` is Unix time. ``agent`` is as Django would have seen it: the bytes of the
    header field as Latin-1. ``path`` and ``query`` are as they were asked, percent-encoded.
    ``asked_range`` is the Range header. ``first_byte`` and ``last_byte`` (inclusive) are of the
    answer's Content-Range. ``body_bytes`` is how much of the body was sent at least.
    ``country`` is an ISO 3166-1 code that the CDN tells.
    """

    request_id: str
    began_at_ms: int
    method: str
    status: int
    ip: str
    agent: str
    referrer: str  # its host
    path: str
    query: str
    asked_range: str
    first_byte: int | None
    last_byte: int | None
    body_bytes: int
    country: str


def sent_intervals(record: LogRecord, size_bytes: int) -> tuple[Interval, ...] | None:
    """Which bytes of a file of this size were sent; None when the log can't tell.

    A 206 of which the log shows neither what was asked nor what was answered is placed at the
    beginning of the file. The union of such answers is then as long as the longest of them: never
    more than was sent, often less (docs/cdn-logs.md).
    """
    if record.status not in (200, 206):
        return ()
    first, last = 0, size_bytes - 1
    if record.status == 206 and record.first_byte is not None:
        first = record.first_byte
        last = last if record.last_byte is None else record.last_byte
    elif record.status == 206 and record.asked_range:
        answered = select_ranges(record.asked_range, size_bytes)
        if isinstance(answered, NoRange) or len(answered) != 1:
            return None
        first, last = answered[0].first, answered[0].last
    stop = min(first + record.body_bytes, last + 1)
    return ((first, stop),) if first < stop else ()


def least_body_bytes(sent_bytes: int, content_length: int | None) -> int:
    """How much of a body was sent at least.

    ``sent_bytes`` includes the header fields, whose length no log tells; ``content_length`` is
    that of the body, or None for one that was not sent whole or whose length is unknown.
    """
    if content_length is not None and sent_bytes >= content_length:
        return content_length
    return max(0, sent_bytes - _HEAD_BYTES)


def began_at_ms(ended_at: float, took_seconds: float) -> int:
    """When a request began that ended at this Unix time; raises BadLineError."""
    milliseconds = round((ended_at - max(0.0, took_seconds)) * 1000)
    if not _FIRST_MS <= milliseconds <= _LAST_MS:
        raise BadLineError("the time is out of range")
    return milliseconds


@lru_cache(maxsize=65536)
def decoded_agent(text: str) -> str:
    """A percent-encoded agent, decoded exactly once."""
    return unquote(text, encoding="latin-1")


def as_header(text: str) -> str:
    """Text of a UTF-8 log as Django reads the same header field."""
    if text.isascii():
        return text
    try:
        sent = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # JSON can write halves of characters
        sent = text.encode("utf-8", "replace")
    return sent.decode("latin-1")


@lru_cache(maxsize=16384)
def referrer_host(text: str) -> str:
    """The host of a referring page, which may be percent-encoded.

    Decoding may bring to light what no host has, and what the database refuses.
    """
    host = host_of(text if "://" in text else unquote(text))
    return host if host.isprintable() else ""


def split_target(target: str) -> tuple[str, str]:
    """Path and query of what stands in a request line, which may be a whole address."""
    if not target.startswith("/") and "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("?")
    return path, query


def content_range(text: str) -> tuple[int | None, int | None]:
    """First and last byte of a Content-Range header (RFC 9110, 14.4); nothing for any other."""
    unit, _, answered = text.partition(" ")
    first, _, last = answered.partition("/")[0].partition("-")
    if unit.lower() == "bytes" and is_number(first) and is_number(last):
        return int(first), int(last)
    return None, None


def json_object(line: bytes) -> dict[str, Any]:
    """A line that is an object of JSON; raises BadLineError."""
    try:
        found = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        raise BadLineError("the JSON is broken") from None
    if not isinstance(found, dict):
        raise BadLineError("the JSON is no object")
    return found


def is_number(text: str) -> bool:
    """Whether the text is a whole number that a log can mean."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def whole_number(text: str, what: str) -> int:
    """A number of the log; raises BadLineError."""
    if not is_number(text):
        raise BadLineError(f"{what} is no number")
    return int(text)


def decimal(text: str, what: str) -> float:
    """A decimal number of the log; raises BadLineError."""
    try:
        number = float(text)
    except ValueError:
        raise BadLineError(f"{what} is no number") from None
    if not -1e15 < number < 1e15:  # false for NaN as well
        raise BadLineError(f"{what} is out of range")
    return number
