"""One request for media, with the bytes that were really sent, as it travels in the stream."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self
from uuid import UUID

from apps.downloads.intervals import Interval


class MalformedHitError(ValueError):
    """A message that is no hit."""


def members(fields: Mapping[str, object]) -> str:
    """The members of a JSON object, without its braces."""
    return json.dumps(fields, separators=(",", ":"))[1:-1]


@dataclass(frozen=True)
class HitSubject:
    """What all hits of one file version have in common; rendered once."""

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
        return members(
            {
                name: value if isinstance(value, int) else str(value)
                for name, value in asdict(self).items()
            }
        )


def hit_message(
    subject: HitSubject, request: str, sent: Sequence[Interval], *, is_final: bool
) -> bytes:
    """A hit as it travels; `request` are the members that belong to the request, rendered."""
    rest = members({"sent": sent, "final": is_final})
    return f"{{{request},{subject.members},{rest}}}".encode()


@dataclass(frozen=True, slots=True)
class Hit:
    """``id`` names the response: reports of one long stream share it, the last is ``final``.

    ``at`` is when the request began, in milliseconds of Unix time; ``sent`` are half-open
    intervals of the file, all that this response sent so far or what is new: their union counts.
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
        request = {
            "id": str(self.id),
            "at": self.at,
            "method": self.method,
            "status": self.status,
            "ip": self.ip,
            "agent": self.agent,
            "range": self.range,
            "referrer": self.referrer,
        }
        return hit_message(subject, members(request), self.sent, is_final=self.final)

    @classmethod
    def from_json(cls, message: bytes) -> Self:
        """Read a message back; raises MalformedHitError."""
        try:
            fields = json.loads(message)
            return cls(
                id=UUID(fields["id"]),
                at=_integer(fields["at"]),
                episode=UUID(fields["episode"]),
                show=UUID(fields["show"]),
                organization=UUID(fields["organization"]),
                rendition=UUID(fields["rendition"]),
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
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MalformedHitError(str(error)) from error


def _integer(value: Any) -> int:
    # PostgreSQL's bigint is what every number of a hit must fit in.
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(f"not a 64-bit integer: {str(value)[:40]}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {str(value)[:40]}")
    return value
