"""One request for media, with the bytes that were really sent, as it travels in the stream."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from json.encoder import encode_basestring_ascii as _text_in_json
from typing import Any, NamedTuple, Self
from uuid import UUID

from apps.downloads.intervals import Interval


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
) -> str:
    """What all hits of one response have in common, as members of a JSON object.

    Written by hand, as the rest of a hit: json.dumps makes an encoder for each call, which would
    be most of what a hit costs the process that sends the audio.
    """
    return (
        f'"id":"{response_id}","at":{at},"method":{_text_in_json(method)},"status":{status},'
        f'"ip":{_text_in_json(ip)},"agent":{_text_in_json(agent)},'
        f'"range":{_text_in_json(asked_range)},"referrer":{_text_in_json(referrer)}'
        + (f',"via":{_text_in_json(via)}' if via else "")
    )


def hit_message(
    subject: HitSubject, request: str, sent: Sequence[Interval], *, is_final: bool
) -> bytes:
    """A hit as it travels: a compact JSON object; `request` is from `request_members`."""
    intervals = ",".join(f"[{start},{stop}]" for start, stop in sent)
    final = "true" if is_final else "false"
    return f'{{{request},{subject.members},"sent":[{intervals}],"final":{final}}}'.encode()


class Hit(NamedTuple):
    """``id`` names the response: reports of one long stream share it, the last is ``final``.

    ``at`` is when the request began, in milliseconds of Unix time; ``sent`` are half-open
    intervals of the file, all that this response sent so far or what is new: their union counts.
    ``via`` says who else stands between: "cdn" where the bytes went to a CDN, not to a listener.
    """

    id: UUID
    at: int
    episode: UUID
    show: UUID
    organization: UUID
    rendition: UUID
    size: int
    header: int
    duration_ms: int
    method: str
    status: int
    ip: str
    agent: str
    range: str = ""
    sent: tuple[Interval, ...] = ()
    referrer: str = ""
    final: bool = True
    via: str = ""

    def to_json(self) -> bytes:
        """The message: a compact JSON object."""
        subject = HitSubject(
            episode=self.episode,
            show=self.show,
            organization=self.organization,
            rendition=self.rendition,
            size=self.size,
            header=self.header,
            duration_ms=self.duration_ms,
        )
        request = request_members(
            self.id,
            at=self.at,
            method=self.method,
            status=self.status,
            ip=self.ip,
            agent=self.agent,
            asked_range=self.range,
            referrer=self.referrer,
            via=self.via,
        )
        return hit_message(subject, request, self.sent, is_final=self.final)

    @classmethod
    def from_json(cls, message: bytes) -> Self:
        """Read a message back; raises MalformedHitError."""
        try:
            fields = json.loads(message)
            return cls(
                id=UUID(fields["id"]),
                at=_integer(fields["at"]),
                episode=_known_id(fields["episode"]),
                show=_known_id(fields["show"]),
                organization=_known_id(fields["organization"]),
                rendition=_known_id(fields["rendition"]),
                size=_integer(fields["size"]),
                header=_integer(fields["header"]),
                duration_ms=_integer(fields["duration_ms"] or 0),
                method=_text(fields["method"]),
                status=_integer(fields["status"]),
                ip=_text(fields["ip"]),
                agent=_text(fields["agent"]),
                range=_text(fields["range"]),
                sent=tuple((_integer(start), _integer(end)) for start, end in fields["sent"]),
                referrer=_text(fields["referrer"]),
                final=bool(fields["final"]),
                via=_text(fields.get("via", "")),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MalformedHitError(str(error)) from error


@lru_cache(maxsize=65536)  # making a UUID takes longer than reading the rest of a hit
def _known_id(text: str) -> UUID:
    return UUID(text)


def _integer(value: Any) -> int:
    # PostgreSQL's bigint is what every number of a hit must fit in.
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"not a 64-bit integer: {str(value)[:40]}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {str(value)[:40]}")
    return value
