"""Caddy's access log: an object of JSON a line, https://caddyserver.com/docs/logging."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.downloads.logs.records import (
    BadLineError,
    LogRecord,
    as_header,
    began_at_ms,
    content_range,
    json_object,
    referrer_host,
    split_target,
)


class CaddyLines:
    """Reads lines; what is not about a request (Caddy's other messages) is passed over."""

    header = ""

    def parse(self, line: bytes) -> LogRecord | None:
        """The line's record, None for another message; raises BadLineError."""
        found = json_object(line)
        request = found.get("request")
        if not isinstance(request, dict) or "status" not in found:
            return None
        asked, answered = _fields(request, "headers"), _fields(found, "resp_headers")
        path, query = split_target(_text(request.get("uri")))
        status = _number(found.get("status"), "status")
        first_byte, last_byte = content_range(answered.get("content-range", ""))
        return LogRecord(
            request_id=_text(found.get("uuid") or request.get("uuid")),
            began_at_ms=began_at_ms(_ended_at(found.get("ts")), _seconds(found.get("duration"))),
            method=_text(request.get("method")),
            status=int(status),
            # Who speaks through trusted proxies; Caddy 2.7 and newer tell it apart.
            ip=_text(request.get("client_ip") or request.get("remote_ip")),
            agent=asked.get("user-agent", ""),
            referrer=referrer_host(asked.get("referer", "")),
            path=path,
            query=query,
            asked_range=asked.get("range", ""),
            first_byte=first_byte if status == 206 else None,
            last_byte=last_byte if status == 206 else None,
            body_bytes=int(_number(found.get("size"), "size")),
            country="",
        )


def _fields(holder: Mapping[str, Any], name: str) -> dict[str, str]:
    """Header fields by their names in lower case; each is a list of values."""
    fields = holder.get(name)
    if not isinstance(fields, dict):
        return {}
    return {
        str(field).lower(): as_header(str(values[0]))
        for field, values in fields.items()
        if isinstance(values, list) and values
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise BadLineError(f"{what} is no number")
    return value


def _ended_at(value: object) -> float:
    """Caddy's `time_format`: Unix time by default, else text of ISO 8601 and RFC 3339."""
    if isinstance(value, str):
        try:
            ended = datetime.fromisoformat(value)
        except ValueError:
            raise BadLineError("ts is no time") from None
        if ended.tzinfo is None:
            raise BadLineError("ts tells no time zone")
        return ended.timestamp()
    return _number(value, "ts")


def _seconds(value: object) -> float:
    """Caddy's `duration_format`: seconds by default."""
    return 0.0 if value is None else _number(value, "duration")
