"""Lines of logs as the servers write them, made from what they are to say."""

import json
from collections.abc import Buffer, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from arro3.core import Array, DataType, Table
from arro3.core.types import ArrowArrayExportable, ArrowStreamExportable
from arro3.io import write_parquet as write

from apps.downloads.logs.records import LogRecord
from tests.downloads.making import ADDRESS, NOON, OVERCAST, SIZE

# As CloudFront names and orders them in its standard logs (legacy, version 1.0).
V1_FIELDS = [
    "date",
    "time",
    "x-edge-location",
    "sc-bytes",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "sc-status",
    "cs(Referer)",
    "cs(User-Agent)",
    "cs-uri-query",
    "cs(Cookie)",
    "x-edge-result-type",
    "x-edge-request-id",
    "x-host-header",
    "cs-protocol",
    "cs-bytes",
    "time-taken",
    "x-forwarded-for",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-response-result-type",
    "cs-protocol-version",
    "fle-status",
    "fle-encrypted-fields",
    "c-port",
    "time-to-first-byte",
    "x-edge-detailed-result-type",
    "sc-content-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
]
HOST = "podcasts.example.com"
V1_HEADER = f"#Version: 1.0\n#Fields: {' '.join(V1_FIELDS)}\n"
V2_FIELDS = [
    "timestamp(ms)",
    "c-ip",
    "time-taken",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "cs-uri-query",
    "sc-status",
    "cs(User-Agent)",
    "cs(Referer)",
    "sc-bytes",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
    "x-edge-request-id",
    "x-edge-result-type",
    "x-edge-response-result-type",
    "c-country",
    "asn",
]
REALTIME_FIELDS = [
    "timestamp",
    "c-ip",
    "sc-status",
    "sc-bytes",
    "cs-method",
    "cs-host",
    "cs-uri-stem",
    "x-edge-request-id",
    "time-taken",
    "cs-user-agent",
    "cs-referer",
    "x-edge-response-result-type",
    "x-edge-result-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
    "c-country",
    "asn",
    "cs-headers",
]

NGINX_FORMAT = (
    '$remote_addr - [$msec] $request_time "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" "$sent_http_content_range" $host $request_id $geoip_country_code'
)
NGINX_JSON_FORMAT = (
    '{"id":"$request_id","at":$msec,"took":$request_time,"from":"$remote_addr",'
    '"method":"$request_method","uri":"$request_uri","status":$status,'
    '"bytes":$body_bytes_sent,"referer":"$http_referer","agent":"${http_user_agent}",'
    '"range":"$sent_http_content_range","host":"$host","country":"$geoip_country_code"}'
)


@dataclass(frozen=True)
class Said:
    """What a log is to say, and how long the request took."""

    record: LogRecord
    took_ms: int = 0
    is_complete: bool = True

    @property
    def ended_ms(self) -> int:
        return self.record.began_at_ms + self.took_ms

    @property
    def target(self) -> str:
        record = self.record
        return f"{record.path}?{record.query}" if record.query else record.path

    @property
    def referer(self) -> str:
        return f"https://{self.record.referrer}/page" if self.record.referrer else ""

    @property
    def content_range(self) -> str:
        record = self.record
        return (
            "" if record.first_byte is None else f"bytes {record.first_byte}-{record.last_byte}/*"
        )


def cloudfront_values(said: Said) -> dict[str, str]:
    """Every field, under the name of the standard logs."""
    record, ended = said.record, datetime.fromtimestamp(said.ended_ms / 1000, UTC)
    body = record.body_bytes
    return {
        "date": f"{ended:%Y-%m-%d}",
        "time": f"{ended:%H:%M:%S}",
        "timestamp": f"{said.ended_ms / 1000:.3f}",
        "timestamp(ms)": str(said.ended_ms),
        "x-edge-location": "FRA60-P2",
        # Header fields weigh something; of a body that broke off, the length is that of the whole.
        "sc-bytes": str(body + (450 if said.is_complete else 1024)),
        "sc-content-len": str(body if said.is_complete else body + 5000),
        "c-ip": record.ip,
        "cs-method": record.method,
        "cs(Host)": "d111111abcdef8.cloudfront.net",
        "x-host-header": HOST,
        "cs-uri-stem": record.path,
        "cs-uri-query": record.query or "-",
        "sc-status": f"{record.status:03}",
        "cs(Referer)": said.referer or "-",
        "cs(User-Agent)": quote(record.agent.encode("latin-1"), safe="/(),;:+=") or "-",
        "cs(Cookie)": "-",
        "x-edge-result-type": "Hit" if said.is_complete else "Error",
        "x-edge-response-result-type": "Hit",
        "x-edge-request-id": record.request_id,
        "time-taken": f"{said.took_ms / 1000:.3f}",
        "sc-range-start": "-" if record.first_byte is None else str(record.first_byte),
        "sc-range-end": "-" if record.last_byte is None else str(record.last_byte),
        "c-country": record.country or "-",
        "asn": "64496",
    }


def _under_other_names(values: dict[str, str]) -> dict[str, str]:
    """As real-time records and Parquet name the fields that have parentheses elsewhere."""
    names = {"cs(User-Agent)": "cs-user-agent", "cs(Referer)": "cs-referer"}
    values = {names.get(name, name): value for name, value in values.items()}
    return values | {"cs-host": values["x-host-header"]}


def cloudfront_v1(said: Said) -> str:
    values = cloudfront_values(said)
    return "\t".join(values.get(name, "-") for name in V1_FIELDS)


def cloudfront_json(said: Said) -> str:
    values = cloudfront_values(said) | {"cs(Host)": HOST}
    return json.dumps({name: values[name] for name in V2_FIELDS})


def cloudfront_realtime(said: Said) -> str:
    values = _under_other_names(cloudfront_values(said))
    values["cs-uri-stem"] = said.target
    values["cs-headers"] = "User-Agent:cut%20o"
    return "\t".join(values.get(name, "-") for name in REALTIME_FIELDS)


def nginx_escaped(text: str) -> str:
    """nginx's default escaping of a header field, whose bytes are Latin-1 here."""
    return "".join(
        character
        if " " <= character <= "~" and character not in '"\\'
        else f"\\x{ord(character):02X}"
        for character in text
    )


def nginx(said: Said) -> str:
    record = said.record
    return (
        f"{record.ip} - [{said.ended_ms / 1000:.3f}] {said.took_ms / 1000:.3f} "
        f'"{record.method} {said.target} HTTP/2.0" {record.status:03} {record.body_bytes} '
        f'"{said.referer or "-"}" "{nginx_escaped(record.agent) or "-"}" '
        f'"{said.content_range or "-"}" {HOST} {record.request_id} {record.country or "-"}'
    )


def nginx_json(said: Said) -> str:
    record = said.record
    agent = json.dumps(record.agent.encode("latin-1").decode("utf-8", "surrogateescape"))
    return (
        f'{{"id":"{record.request_id}","at":{said.ended_ms / 1000:.3f},'
        f'"took":{said.took_ms / 1000:.3f},"from":"{record.ip}","method":"{record.method}",'
        f'"uri":"{said.target}","status":{record.status},"bytes":{record.body_bytes},'
        f'"referer":"{said.referer}","agent":{agent},"range":"{said.content_range}",'
        f'"host":"{HOST}","country":"{record.country}"}}'
    )


def caddy(said: Said) -> str:
    record = said.record
    agent = record.agent.encode("latin-1").decode("utf-8", "surrogateescape")
    headers = {"User-Agent": [agent], "Referer": [said.referer], "Accept": ["*/*"]}
    answered = {"Content-Range": [said.content_range], "Etag": ['"c0ffee"']}
    return json.dumps(
        {
            "level": "info",
            "ts": said.ended_ms / 1000,
            "logger": "http.log.access.log0",
            "msg": "handled request",
            "request": {
                "remote_ip": "198.51.100.1",
                "remote_port": "41342",
                "client_ip": record.ip,
                "proto": "HTTP/2.0",
                "method": record.method,
                "host": HOST,
                "uri": said.target,
                "headers": {name: value for name, value in headers.items() if value != [""]},
            },
            "bytes_read": 0,
            "user_id": "",
            "duration": said.took_ms / 1000,
            "size": record.body_bytes,
            "status": record.status,
            "resp_headers": {name: value for name, value in answered.items() if value != [""]},
        }
    )


def combined(
    target: str,
    *,
    method: str = "GET",
    status: int = 200,
    sent: int = SIZE,
    agent: str = OVERCAST,
    ip: str = ADDRESS,
    when: datetime = NOON,
) -> str:
    """A line of nginx's own format "combined"."""
    return (
        f"{ip} - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "
        f'"{method} {target} HTTP/1.1" {status} {sent} "-" "{nginx_escaped(agent) or "-"}"'
    )


def request(path: str, number: int = 0, **told: Any) -> Said:
    """A whole GET by Overcast at noon; ``number`` tells requests apart."""
    record = LogRecord(
        request_id=f"{number:056d}==",
        began_at_ms=int(NOON.timestamp() * 1000),
        method="GET",
        status=200,
        ip=ADDRESS,
        agent=OVERCAST,
        referrer="",
        path=path,
        query="",
        asked_range="",
        first_byte=None,
        last_byte=None,
        body_bytes=SIZE,
        country="",
    )
    return Said(record._replace(**told))


def write_parquet(path: Path, said: Sequence[Said]) -> None:
    """CloudFront's standard log (v2) in Parquet, whose names have underscores."""
    rows = [_under_other_names(cloudfront_values(one)) for one in said]
    names = [name for name in rows[0] if name != "x-host-header"] if rows else ["c-ip"]
    columns: dict[str, ArrowArrayExportable | ArrowStreamExportable | Buffer] = {
        name.replace("-", "_").replace("(ms)", "_ms").replace("(", "_").rstrip(")").lower(): Array(
            [None if row[name] == "-" else row[name] for row in rows], DataType.utf8()
        )
        for name in names
        if name != "cs(Host)"
    }
    write(Table.from_pydict(columns), path, compression="snappy")


def v1_file(said: Iterable[Said]) -> bytes:
    """A whole standard log."""
    return (V1_HEADER + "".join(cloudfront_v1(one) + "\n" for one in said)).encode("latin-1")
