"""One request for media, with the bytes that were really sent, as it travels in the stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from json.encoder import encode_basestring_ascii
from typing import Annotated
from uuid import UUID

import msgspec

from apps.downloads.intervals import Interval

# Of each text, in characters; no app sends as many, and servers take header fields of any length.
MAX_TEXT_LENGTH = 2048

# PostgreSQL's bigint is what every number of a hit must fit in.
type Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class MalformedHitError(ValueError):
    """A message that is no hit."""


@dataclass(frozen=True)
class HitSubject:
    """What all hits of one file version have in common."""

    episode: UUID
    show: UUID
    organization: UUID
    rendition: UUID
    size: int
    header: int
    duration_ms: int

    @cached_property
    def members(self) -> str:
        """As members of a JSON object."""
        return (
            f'"episode":"{self.episode}","show":"{self.show}",'
            f'"organization":"{self.organization}","rendition":"{self.rendition}",'
            f'"size":{self.size},"header":{self.header},"duration_ms":{self.duration_ms}'
        )


def request_members(
    response_id: UUID | str,
    *,
    at: int,
    method: str,
    status: int,
    ip: str,
    agent: str,
    asked_range: str,
    referrer: str,
    via: str = "",
    country: str = "",
) -> str:
    """What all hits of one response have in common, as members of a JSON object; texts are cut.

    Written by hand, as the rest of a hit: json.dumps makes an encoder for each call, which would
    be most of what a hit costs the process that sends the audio.
    """
    return (
        f'"id":"{response_id}","at":{at},"method":{_in_json(method)},"status":{status},'
        f'"ip":{_in_json(ip)},"agent":{_in_json(agent)},'
        f'"range":{_in_json(asked_range)},"referrer":{_in_json(referrer)}'
        + (f',"via":{_in_json(via)}' if via else "")
        + (f',"country":{_in_json(country)}' if country else "")
    )


def _in_json(text: str) -> str:
    return encode_basestring_ascii(text[:MAX_TEXT_LENGTH])


def hit_message(
    subject: HitSubject, request: str, sent: Sequence[Interval], *, is_final: bool
) -> bytes:
    """A hit as it travels: a compact JSON object; `request` is from `request_members`."""
    intervals = ",".join(f"[{start},{stop}]" for start, stop in sent)
    final = "true" if is_final else "false"
    return f'{{{request},{subject.members},"sent":[{intervals}],"final":{final}}}'.encode()


class Hit(msgspec.Struct, frozen=True):
    """``id`` names the response: reports of one long stream share it, the last is ``final``.

    ``at`` is when the request began, in milliseconds of Unix time; ``sent`` are half-open
    intervals of the file, all that this response sent so far or what is new: their union counts.
    ``via`` says who else stands between: "cdn" where the bytes went to a CDN, not to a listener.
    ``country`` is set where somebody who knows said so: a CDN, of whoever asked it.
    """

    id: UUID
    at: Integer
    episode: UUID
    show: UUID
    organization: UUID
    rendition: UUID
    size: Integer
    header: Integer
    duration_ms: Integer
    method: str
    status: Integer
    ip: str
    agent: str
    range: str = ""
    sent: tuple[tuple[Integer, Integer], ...] = ()
    referrer: str = ""
    final: bool = True
    via: str = ""
    country: str = ""

    def to_json(self) -> bytes:
        """The message: a compact JSON object."""
        return _encoder.encode(self)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Hit)


def read_hit(message: bytes) -> Hit:
    """Read a message back; raises MalformedHitError."""
    try:
        return _decoder.decode(message)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedHitError(str(error)) from error
