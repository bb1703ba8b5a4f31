"""Answers kept in the process as objects while it hears of every change: see docs/adr/0010."""

import asyncio
import threading
from asyncio import get_running_loop
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple, Protocol, cast

from apps.core import changes


class Loaded[V](NamedTuple):
    """An answer, and for how long it may be given."""

    value: V
    seconds: float


@dataclass(frozen=True, slots=True)
class Bounds[V]:
    """How much is kept; what was not asked for in a long time gives way."""

    entries: int
    total_bytes: int = 0
    size_of: Callable[[V], int] = lambda _: 0


class Trust(Protocol):
    """What an answer from memory depends on."""

    sure_until: float

    def is_sure(self) -> bool:
        """Whether every change up to a moment ago has been heard."""


class _Entry[V]:
    __slots__ = ("expires_at", "size_bytes", "value", "was_used")

    def __init__(self, value: V, expires_at: float, size_bytes: int) -> None:
        self.value = value
        self.expires_at = expires_at
        self.size_bytes = size_bytes
        self.was_used = False


class _Load[V]:
    """One reading on which all who ask meanwhile wait."""

    __slots__ = ("task",)
    task: asyncio.Task[V | None]


class Store[K: Hashable, V]:
    """One event loop's answers of one kind.

    `peek` and `find` belong to the loop's thread; dropping is for any thread. Absence (None) is
    never kept: what has just been made public, or has just become due, is there at once.
    """

    def __init__(
        self, trust: Trust, parse_key: Callable[[str], K], bounds: Bounds[V], name: str = ""
    ) -> None:
        self._trust = trust
        self._parse_key = parse_key
        self._bounds = bounds
        self._name = name
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._loads: dict[K, _Load[V]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def peek(self, key: K) -> V | None:
        """What is remembered and known to be true; it costs no lock and no wait."""
        entry = self._entries.get(key)
        if entry is not None and entry.expires_at > monotonic() < self._trust.sure_until:
            entry.was_used = True
            return entry.value
        return None

    async def find(self, key: K, load: Callable[[], Awaitable[Loaded[V] | None]]) -> V | None:
        """What `load` finds, kept if no change of it was heard meanwhile.

        All who miss the same key meanwhile share the load, which goes on when they leave. Without
        a sure line nothing is shared either: a change could not take the load from them.
        """
        if not self._trust.is_sure():
            found = await load()
            return None if found is None else found.value
        with self._lock:
            running = self._loads.get(key)
            if running is None:
                # Registered before it reads anything, so that no change can slip between.
                running = self._loads[key] = _Load()
                running.task = asyncio.create_task(
                    self._run(key, running, load), name=f"load {self._name}"
                )
        return await asyncio.shield(running.task)

    async def _run(
        self, key: K, me: _Load[V], load: Callable[[], Awaitable[Loaded[V] | None]]
    ) -> V | None:
        began_at = monotonic()
        found: Loaded[V] | None = None
        try:
            found = await load()
        finally:
            with self._lock:
                # A change takes a load out of the register: then nobody else gets its answer.
                if self._loads.get(key) is me:
                    del self._loads[key]
                    if found is not None:
                        self._keep(key, found.value, began_at + found.seconds)
        return None if found is None else found.value

    def _keep(self, key: K, value: V, expires_at: float) -> None:
        size_bytes = self._bounds.size_of(value)
        self._forget(key)
        if size_bytes > self._bounds.total_bytes:
            return
        self._entries[key] = _Entry(value, expires_at, size_bytes)
        self._bytes += size_bytes
        while len(self._entries) > self._bounds.entries or self._bytes > self._bounds.total_bytes:
            self._give_way()

    def _give_way(self) -> None:
        """The oldest goes; one that was used since its last turn has another: LRU without the
        price of reordering at each hit."""
        key, entry = self._entries.popitem(last=False)
        if entry.was_used:
            entry.was_used = False
            self._entries[key] = entry
        else:
            self._bytes -= entry.size_bytes

    def _forget(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size_bytes

    def drop(self, key: str) -> None:
        """Forget an answer, and any that is being loaded."""
        parsed = self._parse_key(key)
        with self._lock:
            self._loads.pop(parsed, None)
            self._forget(parsed)

    def clear(self) -> None:
        """Forget all answers, and any that are being loaded."""
        with self._lock:
            self._loads.clear()
            self._entries.clear()
            self._bytes = 0

    @property
    def count(self) -> int:
        """How many answers are kept."""
        return len(self._entries)

    @property
    def total_bytes(self) -> int:
        """The size of all that is kept, as `Bounds.size_of` has it."""
        return self._bytes


class _Here(threading.local):
    loop: asyncio.AbstractEventLoop | None = None
    store: object = None


class LocalCache[K: Hashable, V]:
    """A kind of answers, with a store for each event loop that asks for them."""

    def __init__(self, kind: str, parse_key: Callable[[str], K], bounds: Bounds[V]) -> None:
        self.kind = kind
        self._parse_key = parse_key
        self._bounds = bounds
        self._here = _Here()

    def peek(self, key: K) -> V | None:
        """What this loop remembers and knows to be true."""
        here = self._here
        if here.loop is not get_running_loop():
            return None
        return cast("Store[K, V]", here.store).peek(key)

    async def find(self, key: K, load: Callable[[], Awaitable[Loaded[V] | None]]) -> V | None:
        """What is remembered, else what `load` finds."""
        store = self.store()
        found = store.peek(key)
        return await store.find(key, load) if found is None else found

    def store(self) -> Store[K, V]:
        """The running loop's store; the first one has the loop listen to changes."""
        line = changes.line()
        store = line.memories.get(self.kind)
        if store is None:
            store = Store(line, self._parse_key, self._bounds, self.kind)
            line.memories[self.kind] = store
        self._here.loop, self._here.store = line.loop, store
        return cast("Store[K, V]", store)
