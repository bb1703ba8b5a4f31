"""What the answer to a request for a file is, before a byte of it is read (RFC 9110)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.utils.http import content_disposition_header, http_date

from apps.media.conditional import Outcome, evaluate, range_applies
from apps.media.ranges import NoRange, Range, select_ranges
from apps.media.sources import Segment

METHODS = "GET, HEAD, OPTIONS"

# Players in web pages of any origin may read ranges, and know what they got.
_ALWAYS = {
    "Accept-Ranges": "bytes",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified"
    ),
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_PREFLIGHT = {
    "Allow": METHODS,
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": (
        "Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since"
    ),
    "Access-Control-Max-Age": "86400",
}
_TEXT = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}

type EncodedFields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True)
class Resource:
    """A file as HTTP knows it; the entity tag is strong and includes its quotes.

    Worth keeping for the next request: what its answers have in common is made once.
    """

    segments: tuple[Segment, ...]
    content_type: str
    etag: str
    last_modified: datetime
    filename: str = ""
    cache_control: str = "no-cache, no-transform"

    @cached_property
    def size_bytes(self) -> int:
        """The length of the whole file."""
        return sum(segment.length for segment in self.segments)

    @cached_property
    def validators(self) -> dict[str, str]:
        """The fields of any answer about this file, also of one without it: section 15.4.5."""
        return _ALWAYS | {
            "ETag": self.etag,
            "Last-Modified": http_date(self.last_modified.timestamp()),
            "Cache-Control": self.cache_control,
        }

    @cached_property
    def description(self) -> dict[str, str]:
        """The fields of any answer that has bytes of it."""
        disposition = content_disposition_header(False, self.filename)
        named = {"Content-Disposition": disposition} if disposition else {}
        return self.validators | {"Content-Type": self.content_type} | named

    @cached_property
    def encoded_description(self) -> EncodedFields:
        """The description as ASGI wants it."""
        return encode_fields(self.description)


def encode_fields(fields: Mapping[str, str]) -> EncodedFields:
    """Header fields as ASGI wants them: names in lower case, values in Latin-1."""
    return tuple([(name.lower().encode(), text.encode("latin-1")) for name, text in fields.items()])


@dataclass(frozen=True, slots=True)
class Plan:
    """A response: either `text`, or `pieces`, which are stretches of the file and what is between.

    What has bytes of a resource has its description among its headers, and in `own` the fields
    that only this answer has, among them the exact Content-Length of the pieces; several ranges
    have a Content-Type of their own, too.
    """

    status: int
    own: dict[str, str]
    pieces: tuple[Range | bytes, ...] = ()
    resource: Resource | None = None
    text: str = field(default="", kw_only=True)

    @property
    def headers(self) -> dict[str, str]:
        """All fields."""
        return self.own if self.resource is None else self.resource.description | self.own

    @property
    def encoded_headers(self) -> tuple[EncodedFields, EncodedFields]:
        """The fields as ASGI wants them: those of the resource, then those of this answer."""
        if self.resource is None or "Content-Type" in self.own:
            return (), encode_fields(self.headers)
        return self.resource.encoded_description, encode_fields(self.own)

    @property
    def first_range(self) -> Range | None:
        """Where reading begins; None when nothing is read."""
        return next((piece for piece in self.pieces if isinstance(piece, Range)), None)


def plan_response(method: str, headers: Mapping[str, str], resource: Resource) -> Plan:
    """The answer to this request, in the order of section 13.2.1: method, preconditions, ranges."""
    if method == "OPTIONS":
        return Plan(204, _ALWAYS | _PREFLIGHT)
    if method not in {"GET", "HEAD"}:
        text = "This address can only be read.\n"
        return Plan(405, _ALWAYS | _TEXT | {"Allow": METHODS}, text=text)
    match evaluate(method, headers, etag=resource.etag, last_modified=resource.last_modified):
        case Outcome.FAILED:
            text = "The file is not the version that the request expects.\n"
            return Plan(412, _ALWAYS | _TEXT, text=text if method == "GET" else "")
        case Outcome.NOT_MODIFIED:
            return Plan(304, resource.validators)
    if method == "HEAD":  # section 14.2: Range is defined for GET only
        return Plan(200, _whole(resource).own, (), resource)
    return _plan_get(headers, resource)


def _plan_get(headers: Mapping[str, str], resource: Resource) -> Plan:
    asked = headers.get("Range")
    if not range_applies(
        headers.get("If-Range"), etag=resource.etag, last_modified=resource.last_modified
    ):
        asked = None
    selected = select_ranges(asked, resource.size_bytes)
    if selected is NoRange.UNSATISFIABLE:
        content_range = {"Content-Range": f"bytes */{resource.size_bytes}"}
        text = f"The file has {resource.size_bytes} bytes; none of them was asked for.\n"
        return Plan(416, _ALWAYS | _TEXT | content_range, text=text)
    if selected is NoRange.IGNORED:
        return _whole(resource)
    if len(selected) == 1:
        return _one_range(resource, selected[0])
    several = _several_ranges(resource, selected)
    # Many small parts can weigh more than the file: nobody is ever sent more than the file.
    if int(several.own["Content-Length"]) >= resource.size_bytes:
        return _whole(resource)
    return several


def _whole(resource: Resource) -> Plan:
    size = resource.size_bytes
    pieces = (Range(0, size - 1),) if size else ()
    return Plan(200, {"Content-Length": str(size)}, pieces, resource)


def _one_range(resource: Resource, one: Range) -> Plan:
    own = {"Content-Length": str(one.length), "Content-Range": _content_range(one, resource)}
    return Plan(206, own, (one,), resource)


def _several_ranges(resource: Resource, ranges: tuple[Range, ...]) -> Plan:
    """A multipart/byteranges body: section 14.6, with the framing of RFC 2046 section 5.1.1."""
    boundary = secrets.token_hex(16)
    pieces: list[Range | bytes] = []
    for one in ranges:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {resource.content_type}\r\n"
            f"Content-Range: {_content_range(one, resource)}\r\n\r\n"
        )
        pieces += [head.encode("ascii").removeprefix(b"" if pieces else b"\r\n"), one]
    pieces.append(f"\r\n--{boundary}--\r\n".encode("ascii"))
    length = sum(p.length if isinstance(p, Range) else len(p) for p in pieces)
    own = {
        "Content-Type": f"multipart/byteranges; boundary={boundary}",
        "Content-Length": str(length),
    }
    return Plan(206, own, tuple(pieces), resource)


def _content_range(one: Range, resource: Resource) -> str:
    return f"bytes {one.first}-{one.last}/{resource.size_bytes}"
