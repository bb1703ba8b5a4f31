"""What the load generator is told to do, and what it answers: both travel as JSON."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """What is asked of each target, and so how the answer is checked."""

    WHOLE = "whole"  # 200 with the whole file
    RANGES = "ranges"  # 206 with a random stretch of the file
    GZIP = "gzip"  # 200 whose decompressed body is the file
    UNCHANGED = "unchanged"  # 304 without a body


@dataclass(frozen=True, slots=True)
class Target:
    """A request target, and the file that holds what must come back."""

    path: str
    file: str


@dataclass(frozen=True, slots=True)
class Job:
    """Load on one server, bounded in time and in requests."""

    kind: Kind
    port: int
    targets: tuple[Target, ...]
    connections: int
    seconds: float
    warm_up_seconds: float = 1.0
    max_requests: int = 1_000_000
    headers: dict[str, str] = field(default_factory=dict)
    seed: int = 0  # equal seeds ask for equal ranges in equal order
    range_bytes: tuple[int, int] = (64 * 1024, 1024 * 1024)
    # Bytes per second that each connection reads, of its own choice between the two; (0, 0) for
    # whatever comes.
    rate_bytes: tuple[int, int] = (0, 0)
    pause_seconds: float = 0.0  # between an answer and the next request
    # Of the sockets, before they connect; 0 leaves it to the system.
    max_segment_bytes: int = 0
    receive_buffer_bytes: int = 0

    def to_json(self) -> str:
        """The form in which the generator reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The opposite of `to_json`."""
        fields: dict[str, Any] = json.loads(text)
        targets = tuple(Target(**target) for target in fields.pop("targets"))
        fields |= {name: tuple(fields[name]) for name in ("range_bytes", "rate_bytes")}
        return cls(kind=Kind(fields.pop("kind")), targets=targets, **fields)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened within the measured window; any fault makes the rest worthless."""

    seconds: float
    requests: int
    body_bytes: int
    cpu_seconds: float  # of the generator itself
    p50_ms: float
    p99_ms: float
    longest_ms: float  # of answers that came, and of those still waited for at the end
    faults: tuple[str, ...] = ()
    segment_bytes: int = 0  # the largest that the kernel noticed
    # Of each connection since it began, also before the window: whole answers, and the bytes of
    # the one under way.
    answered: tuple[int, ...] = ()
    under_way: tuple[int, ...] = ()
    # Where connections read at a rate:
    starved: int = 0  # got less than their rate
    least_share: float = 1.0  # of its rate, that the worst of them got
    longest_gap_ms: float = 0.0  # that one was ready to read and had to wait

    def to_json(self) -> str:
        """The form in which the generator answers."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The opposite of `to_json`."""
        fields: dict[str, Any] = json.loads(text)
        fields |= {name: tuple(fields[name]) for name in ("faults", "answered", "under_way")}
        return cls(**fields)
