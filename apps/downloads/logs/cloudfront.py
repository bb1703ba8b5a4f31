"""CloudFront's logs: standard v1 and v2 as lines of values or JSON, and real-time records.

Fields: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from apps.downloads.logs.records import (
    SEVERAL_RANGES,
    BadLineError,
    LogRecord,
    as_header,
    began_at_ms,
    decimal,
    decoded_agent,
    is_number,
    json_object,
    least_body_bytes,
    referrer_host,
    whole_number,
)

_HEADER = "#Fields:"
_SEPARATORS = re.compile(r"[\s,;|]+")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_EMPTY = ("-", "")
_COUNTRY = re.compile(r"[A-Z]{2}")

# In the order in which the values are taken out of a line.
_WANTED = (
    "x-edge-request-id",
    "date",
    "time",
    "timestamp",
    "timestamp-ms",
    "time-taken",
    "c-ip",
    "cs-method",
    "cs-uri-stem",
    "cs-uri-query",
    "sc-status",
    "cs-user-agent",
    "cs-referer",
    "sc-bytes",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
    "x-edge-result-type",
    "x-edge-response-result-type",
    "c-country",
)
# Without one of these nothing can be counted.
_NEEDED = ("c-ip", "cs-method", "cs-uri-stem", "sc-status", "sc-bytes", "cs-user-agent")
_TIMES = ({"timestamp-ms"}, {"timestamp"}, {"date", "time"})


class UnusableFieldsError(ValueError):
    """A log whose fields don't tell what counting needs; the message is for the operator."""


def field_name(written: str) -> str:
    """A field as all formats' names come to: ``cs(User-Agent)`` and ``cs_user_agent`` are one."""
    return _NOT_IN_NAMES.sub("-", written.lower()).strip("-")


def record_maker(fields: Sequence[str]) -> Callable[[list[str]], LogRecord]:
    """What makes records of the values of these fields; raises UnusableFieldsError.

    The maker raises BadLineError. It appends to the list that it is given.
    """
    names = [field_name(field) for field in fields]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise UnusableFieldsError(f"The log lacks the fields {', '.join(missing)}.")
    if not any(times <= set(names) for times in _TIMES):
        raise UnusableFieldsError("The log lacks the fields date and time, or timestamp.")
    # A field that the log lacks is the empty value that is put at the end of every line.
    places = [names.index(name) if name in names else len(names) for name in _WANTED]
    shows_ranges = "sc-range-start" in names
    count = len(names)

    def make(values: list[str]) -> LogRecord:
        if len(values) != count:
            raise BadLineError(f"{len(values)} values instead of {count}")
        values.append("-")
        return _record([values[place] for place in places], shows_ranges)

    return make


def _record(values: list[str], shows_ranges: bool) -> LogRecord:
    (
        request_id, date, time, seconds, milliseconds, taken, ip, method, stem, query, status,
        agent, referrer, sent, length, first, last, result, answered, country,
    ) = values  # fmt: skip
    ended_at = _ended_at(date, time, seconds, milliseconds)
    took = 0.0 if taken in _EMPTY else decimal(taken, "time-taken")
    sent_bytes = 0 if sent in _EMPTY else whole_number(sent, "sc-bytes")
    has_left = result == "Error" and answered != "Error"  # the client, midway
    content_length = int(length) if is_number(length) and not has_left else None
    path, _, in_stem = stem.partition("?")  # a real-time record's has the query in it
    code = whole_number(status, "sc-status")  # 000: it left before any answer
    first_byte = int(first) if is_number(first) else None
    return LogRecord(
        request_id="" if request_id in _EMPTY else request_id,
        began_at_ms=began_at_ms(ended_at, took),
        method=method,
        status=code,
        ip="" if ip in _EMPTY else ip,
        agent="" if agent in _EMPTY else decoded_agent(agent),
        referrer="" if referrer in _EMPTY else referrer_host(referrer),
        path=path,
        query=in_stem or ("" if query in _EMPTY else query),
        asked_range=SEVERAL_RANGES if shows_ranges and code == 206 and first_byte is None else "",
        first_byte=first_byte,
        last_byte=int(last) if is_number(last) else None,
        body_bytes=least_body_bytes(sent_bytes, content_length),
        country=country if _COUNTRY.fullmatch(country) else "",
    )


def _ended_at(date: str, time: str, seconds: str, milliseconds: str) -> float:
    """When the last byte was sent, in Unix time, from whichever fields tell it best."""
    if milliseconds not in _EMPTY:
        return whole_number(milliseconds, "timestamp(ms)") / 1000
    if seconds not in _EMPTY:
        return decimal(seconds, "timestamp")
    try:
        return datetime.fromisoformat(f"{date}T{time}+00:00").timestamp()
    except ValueError:
        raise BadLineError("date and time are none") from None


class CloudFrontLines:
    """Reads lines; ``header`` is the last ``#Fields`` line, to go on with after a pause."""

    def __init__(
        self, *, fields: Sequence[str] = (), delimiter: str = "\t", header: str = ""
    ) -> None:
        self.header = ""
        self._delimiter = delimiter
        self._make = record_maker(fields) if fields else None
        self._json: tuple[tuple[str, ...], Callable[[list[str]], LogRecord]] | None = None
        if header:
            self._take_header(header)

    def parse(self, line: bytes) -> LogRecord | None:
        """The line's record, None for a comment; raises BadLineError, UnusableFieldsError."""
        if line.startswith(b"{"):
            return self._from_json(line)
        text = line.decode("latin-1")  # what isn't ASCII is percent-encoded
        if text.startswith("#"):
            if text.startswith(_HEADER):
                self._take_header(text)
            return None
        if self._make is None:
            raise UnusableFieldsError(
                "The log has no line of #Fields: name them in the source's fields."
            )
        return self._make(text.split(self._delimiter))

    def _take_header(self, line: str) -> None:
        names = [name for name in _SEPARATORS.split(line.removeprefix(_HEADER)) if name]
        self._make = record_maker(names)
        self.header = line.replace("\x00", "")

    def _from_json(self, line: bytes) -> LogRecord:
        found = json_object(line)
        names = tuple(found)
        if self._json is None or self._json[0] != names:
            try:
                self._json = names, record_maker(names)
            except UnusableFieldsError as error:
                raise BadLineError(str(error)) from error
        return self._json[1]([value_text(value) for value in found.values()])


def value_text(value: object) -> str:
    """A value of JSON or Parquet as a line of text has it."""
    return "-" if value is None else as_header(str(value))
