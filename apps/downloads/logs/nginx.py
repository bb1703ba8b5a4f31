"""nginx's access logs in any log_format, text or JSON, named by nginx's own format string.

Variables: https://nginx.org/en/docs/http/ngx_http_log_module.html and ngx_http_core_module.html
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from apps.core.addresses import client_address
from apps.downloads.logs.records import (
    BadLineError,
    LogRecord,
    as_header,
    began_at_ms,
    content_range,
    decimal,
    is_number,
    json_object,
    least_body_bytes,
    referrer_host,
    split_target,
    whole_number,
)

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" '
    '$status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
_VARIABLE = re.compile(r"\$(?:\{([a-z]\w*)\}|([a-z]\w*))", re.ASCII | re.IGNORECASE)
_JSON_MEMBER = re.compile(r'"([^"\\]+)"\s*:\s*"?\$(?:\{(\w+)\}|(\w+))"?')
_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")
_LISTS = {"http_x_forwarded_for", "proxy_add_x_forwarded_for"}
_COUNTRY = re.compile(r"[A-Z]{2}")

_NEEDED = (
    ("remote_addr", "realip_remote_addr", "http_x_forwarded_for"),
    ("time_local", "time_iso8601", "msec"),
    ("request", "request_uri", "uri"),
    ("request", "request_method"),
    ("status",),
    ("body_bytes_sent", "bytes_sent"),
    ("http_user_agent",),
)

type Values = Mapping[str, str]


class UnusableFormatError(ValueError):
    """A log_format from which nothing can be counted; the message is for the operator."""


class NginxLines:
    """Reads the lines that a log_format makes; raises UnusableFormatError."""

    header = ""

    def __init__(self, log_format: str = "") -> None:
        log_format = log_format.strip() or COMBINED
        if log_format.startswith("{"):
            names = _json_members(log_format)
            self._values: Callable[[bytes], Values] = lambda line: _from_json(line, names)
        else:
            pattern = _pattern(log_format)
            names = {name: name for name in pattern.groupindex}
            self._values = lambda line: _from_text(line, pattern)
        known = set(names.values())
        for choice in _NEEDED:
            if known.isdisjoint(choice):
                wanted = " or ".join(f"${name}" for name in choice)
                raise UnusableFormatError(f"The log_format lacks {wanted}.")

    def parse(self, line: bytes) -> LogRecord | None:
        """The line's record; raises BadLineError."""
        return _record(self._values(line))


def _json_members(log_format: str) -> dict[str, str]:
    return {member: braced or plain for member, braced, plain in _JSON_MEMBER.findall(log_format)}


def _from_json(line: bytes, names: Mapping[str, str]) -> Values:
    found = json_object(line)
    return {
        names[member]: as_header(str(value))
        for member, value in found.items()
        if member in names and value is not None
    }


def _from_text(line: bytes, pattern: re.Pattern[str]) -> Values:
    text = line.decode("latin-1")
    found = pattern.fullmatch(text)
    if found is None:
        raise BadLineError("the line does not follow the log_format")
    values = found.groupdict()
    if "\\x" in text:  # nginx escapes quotes, backslashes and what isn't ASCII
        values = {name: _ESCAPED.sub(_unescape, value) for name, value in values.items()}
    return {name: value for name, value in values.items() if value != "-"}


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _pattern(log_format: str) -> re.Pattern[str]:
    """What matches a line, in one pass: a value ends where the next fixed text may begin."""
    parts, seen, at = [], set[str](), 0
    variables = list(_VARIABLE.finditer(log_format))
    for index, found in enumerate(variables):
        parts.append(re.escape(log_format[at : found.start()]))
        at = found.end()
        end = variables[index + 1].start() if index + 1 < len(variables) else len(log_format)
        if at == end and index + 1 < len(variables):
            raise UnusableFormatError("Two variables of the log_format have nothing between them.")
        name = found[1] or found[2]
        is_list = name.startswith("upstream_") or name in _LISTS  # "192.0.2.1:80, 192.0.2.2:80"
        stop = f"[^{re.escape(log_format[at])}]*" if at < end and not is_list else ".*?"
        parts.append(f"(?:{stop})" if name in seen else f"(?P<{name}>{stop})")
        seen.add(name)
    parts.append(re.escape(log_format[at:]))
    return re.compile("".join(parts))


def _record(values: Values) -> LogRecord:
    method, target = _request(values)
    path, query = split_target(target)
    code = whole_number(values.get("status", ""), "$status")
    first_byte, last_byte = content_range(values.get("sent_http_content_range", ""))
    country = values.get("geoip_country_code") or values.get("geoip2_country_code", "")
    return LogRecord(
        request_id=values.get("request_id", ""),
        began_at_ms=began_at_ms(_ended_at(values), _took(values)),
        method=method,
        status=code,
        ip=_address(values),
        agent=values.get("http_user_agent", ""),
        referrer=referrer_host(values.get("http_referer", "")),
        path=path,
        query=query or values.get("args") or values.get("query_string", ""),
        asked_range=values.get("http_range", ""),
        first_byte=first_byte if code == 206 else None,
        last_byte=last_byte if code == 206 else None,
        body_bytes=_body(values),
        country=country if _COUNTRY.fullmatch(country) else "",
    )


def _request(values: Values) -> tuple[str, str]:
    """Method and target. A connection without a request has none: its status is 400 or 408."""
    line = values.get("request", "").split(" ")
    method = values.get("request_method") or line[0]
    target = values.get("request_uri") or values.get("uri") or (line[1] if len(line) > 1 else "")
    return method, target


def _address(values: Values) -> str:
    """The peer's, or who it says it speaks for where it is a trusted proxy."""
    forwarded_for = values.get("http_x_forwarded_for", "")
    peer = values.get("remote_addr") or values.get("realip_remote_addr") or ""
    return client_address(peer, forwarded_for) if forwarded_for else peer


def _body(values: Values) -> int:
    body = values.get("body_bytes_sent", "")
    if body:
        return whole_number(body, "$body_bytes_sent")
    length = values.get("sent_http_content_length", "")
    return least_body_bytes(
        whole_number(values.get("bytes_sent", ""), "$bytes_sent"),
        int(length) if is_number(length) else None,
    )


def _took(values: Values) -> float:
    """Seconds; without them the request is taken to have begun when it ended."""
    taken = values.get("request_time", "")
    return decimal(taken, "$request_time") if taken else 0.0


def _ended_at(values: Values) -> float:
    if exact := values.get("msec", ""):
        return decimal(exact, "$msec")
    if written := values.get("time_iso8601", ""):
        return _from_iso(written)
    return _from_local(values.get("time_local", ""))


@lru_cache(maxsize=1024)  # many requests end within a second
def _from_iso(text: str) -> float:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        raise BadLineError("$time_iso8601 is no time") from None


@lru_cache(maxsize=1024)
def _from_local(text: str) -> float:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        raise BadLineError("$time_local is no time") from None
