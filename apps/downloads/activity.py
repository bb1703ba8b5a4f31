"""What goes on right now: listeners of the last minute and bytes a second, kept in Valkey.

A picture of the moment, not a count: it may be lost with Valkey and is then drawn again.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import redis
from redis.client import Pipeline

from apps.core import valkey
from apps.downloads.batch import Message
from apps.downloads.hit import Hit
from apps.downloads.intervals import Interval, size, union
from apps.downloads.summary import Activity

LISTENING_MS = 60_000
# Long streams report about every five seconds: a shorter mean would jump.
SPEED_SECONDS = 10
_EXPIRY_SECONDS = 120
_MAX_OPEN_RESPONSES = 50_000

type Scope = UUID | None
"""A show, or None for the whole platform."""


class ByteMeter:
    """How many bytes each report of a response adds to its earlier ones."""

    def __init__(self) -> None:
        self._open: OrderedDict[UUID, tuple[Interval, ...]] = OrderedDict()

    def new_bytes(self, hit: Hit) -> int:
        """The bytes that no earlier report of this response named."""
        before = self._open.pop(hit.id, ())
        together = union((*before, *hit.sent))
        if not hit.final:
            self._open[hit.id] = together
            if len(self._open) > _MAX_OPEN_RESPONSES:
                self._open.popitem(last=False)
        return size(together) - size(before)


@dataclass(slots=True)
class Pulse:
    """What a batch adds: last signs of life by scope and listener, bytes by scope and second."""

    listeners: dict[Scope, dict[bytes, int]] = field(default_factory=lambda: defaultdict(dict))
    sent: Counter[tuple[Scope, int]] = field(default_factory=Counter)

    @property
    def shows(self) -> set[UUID]:
        """The shows that anything happened to."""
        scopes = {scope for scope, _ in self.sent} | set(self.listeners)
        return {scope for scope in scopes if scope is not None}

    @property
    def bytes_sent(self) -> int:
        """All bytes of the batch."""
        return sum(count for (scope, _), count in self.sent.items() if scope is None)


def take_pulse(
    messages: Iterable[Message], listening: Iterable[tuple[Message, bytes]], meter: ByteMeter
) -> Pulse:
    """The activity in a batch; what was spooled is long over and left out."""
    pulse = Pulse()
    for message in messages:
        if message.hit is None or message.is_spooled:
            continue
        sent = meter.new_bytes(message.hit)
        if sent > 0:
            second = message.added_at_ms // 1000
            for scope in (message.hit.show, None):
                pulse.sent[scope, second] += sent
    for message, listener in listening:
        if message.hit is None or message.is_spooled:
            continue
        for scope in (message.hit.show, None):
            seen = pulse.listeners[scope]
            seen[listener] = max(seen.get(listener, 0), message.added_at_ms)
    return pulse


def store(client: redis.Redis, pulse: Pulse) -> None:
    """Add a batch's activity."""
    pipe = client.pipeline(transaction=False)
    for scope, seen in pulse.listeners.items():
        pipe.zadd(_listeners_key(scope), {key: float(at) for key, at in seen.items()}, gt=True)
        pipe.expire(_listeners_key(scope), _EXPIRY_SECONDS)
    for (scope, second), count in pulse.sent.items():
        pipe.incrby(_bytes_key(scope, second), count)
        pipe.expire(_bytes_key(scope, second), _EXPIRY_SECONDS)
    pipe.execute()


def read(client: redis.Redis, scopes: Sequence[Scope], *, now_ms: int) -> list[Activity]:
    """The activity of each scope, in order."""
    pipe = client.pipeline(transaction=False)
    for scope in scopes:
        _queue_read(pipe, scope, now_ms)
    return _activities(pipe.execute())


def _queue_read(pipe: Pipeline, scope: Scope, now_ms: int) -> None:
    pipe.zremrangebyscore(_listeners_key(scope), "-inf", now_ms - LISTENING_MS)
    pipe.zcard(_listeners_key(scope))
    second = now_ms // 1000
    # The current second is not over: it would always look slow.
    pipe.mget([_bytes_key(scope, second - back) for back in range(1, SPEED_SECONDS + 1)])


def _activities(replies: Sequence[Any]) -> list[Activity]:
    return [
        Activity(
            listeners=replies[index + 1],
            bytes_per_second=sum(int(count or 0) for count in replies[index + 2]) // SPEED_SECONDS,
        )
        for index in range(0, len(replies), 3)
    ]


def _name(scope: Scope) -> str:
    return "platform" if scope is None else f"show:{scope}"


def _listeners_key(scope: Scope) -> str:
    return valkey.key("activity", _name(scope), "listeners")


def _bytes_key(scope: Scope, second: int) -> str:
    return valkey.key("activity", _name(scope), "bytes", second)
