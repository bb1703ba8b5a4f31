"""What goes on right now: listeners of the last minute and bytes a second, kept in Valkey.

A picture of the moment, not a count: it may be lost with Valkey and is then drawn again.
"""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import redis

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
"""A show, an episode or an organisation, by its id; None is the whole platform."""

HOT_SECONDS = 10
"""How long a stretch of time is by which tenants are compared."""


class ByteMeter:
    """How many bytes each report of a response adds to its earlier ones."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, tuple[Interval, ...]] = OrderedDict()  # by response

    def new_bytes(self, hit: Hit) -> int:
        """The bytes that no earlier report of this response named."""
        before = self._open.pop(hit.id.int, ())
        together = union((*before, *hit.sent))
        if not hit.final:
            self._open[hit.id.int] = together
            if len(self._open) > _MAX_OPEN_RESPONSES:
                self._open.popitem(last=False)
        return size(together) - size(before)


@dataclass(slots=True)
class Pulse:
    """What a batch adds: last signs of life by scope and listener, bytes by scope and second."""

    listeners: dict[Scope, dict[bytes, int]] = field(default_factory=lambda: defaultdict(dict))
    sent: Counter[tuple[Scope, int]] = field(default_factory=Counter)
    shows: set[UUID] = field(default_factory=set)
    organizations: set[UUID] = field(default_factory=set)

    @property
    def touched(self) -> frozenset[UUID]:
        """The shows, episodes and organisations that anything happened to."""
        scopes = {scope for scope, _ in self.sent} | set(self.listeners)
        return frozenset(scope for scope in scopes if scope is not None)

    @property
    def bytes_sent(self) -> int:
        """All bytes of the batch."""
        return sum(count for (scope, _), count in self.sent.items() if scope is None)

    def add(self, place: "_Place") -> None:
        """Take what happened to one episode."""
        hit = place.hit
        self.shows.add(hit.show)
        self.organizations.add(hit.organization)
        for scope in (hit.show, hit.episode, hit.organization, None):
            for second, count in place.sent.items():
                self.sent[scope, second] += count
            if place.listeners:
                # Later signs of life come later: a batch is in the stream's order.
                self.listeners[scope].update(place.listeners)


@dataclass(slots=True)
class _Place:
    """What happened to one episode; ``hit`` is any of it."""

    hit: Hit
    sent: Counter[int] = field(default_factory=Counter)  # by second
    listeners: dict[bytes, int] = field(default_factory=dict)


def take_pulse(
    messages: Iterable[Message], listening: Iterable[tuple[Message, bytes]], meter: ByteMeter
) -> Pulse:
    """The activity in a batch; what was spooled is long over and left out."""
    places: dict[int, _Place] = {}  # by the episode's number, which hashes fast
    for message in messages:
        hit = message.hit
        if hit is None or message.is_spooled:
            continue
        sent = meter.new_bytes(hit)
        if sent > 0:
            _place(places, hit).sent[message.added_at_ms // 1000] += sent
    for message, listener in listening:
        if message.hit is None or message.is_spooled:
            continue
        seen = _place(places, message.hit).listeners
        seen[listener] = max(seen.get(listener, 0), message.added_at_ms)
    pulse = Pulse()
    for place in places.values():
        pulse.add(place)
    return pulse


def _place(places: dict[int, _Place], hit: Hit) -> _Place:
    place = places.get(hit.episode.int)
    if place is None:
        place = places[hit.episode.int] = _Place(hit)
    return place


def store(client: redis.Redis, pulse: Pulse) -> None:
    """Add a batch's activity."""
    pipe = client.pipeline(transaction=False)
    for scope, seen in pulse.listeners.items():
        key = _listeners_key(scope)
        pipe.zadd(key, cast("dict[Any, float]", seen), gt=True)
        # Also where nobody watches, or a busy scope would hold the listeners of the whole day.
        pipe.zremrangebyscore(key, "-inf", max(seen.values()) - LISTENING_MS)
        pipe.expire(key, _EXPIRY_SECONDS)
    for (scope, second), count in pulse.sent.items():
        pipe.hincrby(_bytes_key(second), scope_name(scope), count)
        if scope in pulse.organizations:
            pipe.zincrby(_hot_key(second // HOT_SECONDS), count, scope_name(scope))
    for second in {second for _, second in pulse.sent}:
        pipe.expire(_bytes_key(second), _EXPIRY_SECONDS)
        pipe.expire(_hot_key(second // HOT_SECONDS), _EXPIRY_SECONDS)
    pipe.execute()


def read(client: redis.Redis, scopes: Sequence[Scope], *, now_ms: int) -> list[Activity]:
    """The activity of each scope, in order."""
    if not scopes:
        return []
    pipe = client.pipeline(transaction=False)
    second = now_ms // 1000
    names = [scope_name(scope) for scope in scopes]
    # The current second is not over: it would always look slow.
    for back in range(1, SPEED_SECONDS + 1):
        pipe.hmget(_bytes_key(second - back), names)
    for scope in scopes:
        pipe.zremrangebyscore(_listeners_key(scope), "-inf", now_ms - LISTENING_MS)
        pipe.zcard(_listeners_key(scope))
    return _activities(pipe.execute())


def _activities(replies: Sequence[Any]) -> list[Activity]:
    by_second, of_listeners = replies[:SPEED_SECONDS], replies[SPEED_SECONDS:]
    sent = [sum(int(count or 0) for count in counts) for counts in zip(*by_second, strict=True)]
    return [
        Activity(listeners=of_listeners[2 * index + 1], bytes_per_second=total // SPEED_SECONDS)
        for index, total in enumerate(sent)
    ]


def hottest_senders(client: redis.Redis, *, now_ms: int, limit: int) -> list[tuple[UUID, int]]:
    """The organisations whose media goes out fastest, with bytes a second, fastest first.

    Of the last whole stretch of HOT_SECONDS.
    """
    stretch = now_ms // 1000 // HOT_SECONDS - 1
    found = cast(
        "list[tuple[bytes, float]]",
        client.zrevrange(_hot_key(stretch), 0, limit - 1, withscores=True),
    )
    return [(UUID(name.decode()), int(count) // HOT_SECONDS) for name, count in found]


def scope_name(scope: Scope) -> str:
    """What a scope is called in Valkey."""
    return "platform" if scope is None else str(scope)


def _listeners_key(scope: Scope) -> str:
    return valkey.key("activity", scope_name(scope), "listeners")


def _bytes_key(second: int) -> str:
    return valkey.key("activity", "bytes", second)


def _hot_key(stretch: int) -> str:
    return valkey.key("activity", "hot", stretch)
