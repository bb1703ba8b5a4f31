"""Answers kept in the process and in Valkey in front of the database, never hiding a change."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import cast

from redis.exceptions import RedisError

from apps.core import changes, valkey
from apps.core.database import in_database
from apps.core.local_cache import Bounds, Loaded, LocalCache

logger = logging.getLogger(__name__)

# Nobody waits longer for a cache than the database takes.
_TIMEOUT_SECONDS = 0.25
# How long a change keeps readers from storing what they may have read before it.
_QUARANTINE_SECONDS = 10
_CHANGED = b""


class ReadThrough[K: Hashable, V]:
    """One kind of answers: looked up in the process, then in Valkey, then in the database.

    `pack` and `unpack` turn an answer into what Valkey keeps and back. `lifetime_seconds` bounds
    how long a lost invalidation (Valkey away at the moment of the change) may be seen.
    """

    def __init__(
        self,
        kind: str,
        *,
        parse_key: Callable[[str], K],
        pack: Callable[[V], bytes],
        unpack: Callable[[bytes], V],
        lifetime_seconds: int,
        bounds: Bounds[V],
    ) -> None:
        self.kind = kind
        self.local = LocalCache(kind, parse_key, bounds)
        self._pack = pack
        self._unpack = unpack
        self._lifetime_seconds = lifetime_seconds

    async def find(self, key: K, load: Callable[[K], V | None]) -> V | None:
        """What is kept under a key, else what `load` finds in the database, kept for next time.

        A hit in the process does not suspend, and is the same object every time. Absence is not
        kept, so that what was just made public is there at once. A Valkey that is away costs a
        query and nothing else.
        """
        found = self.local.peek(key)
        if found is not None:
            return found
        return await self.local.find(key, partial(self._read, key, load))

    def announce_change(self, keys: Iterable[K]) -> None:
        """Drop what is kept, everywhere; to be called when the change is committed.

        A mark is left for a while instead of nothing: a reader who read the old row a moment
        before would otherwise put it back.
        """
        self._write({self._name(key): _CHANGED for key in keys}, _QUARANTINE_SECONDS)

    def replace(self, values: Mapping[K, V]) -> None:
        """Keep these from now on, to be called when they are committed; all of them or none."""
        contents = {self._name(key): self._pack(value) for key, value in values.items()}
        self._write(contents, self._lifetime_seconds)

    def _name(self, key: K) -> str:
        return f"{self.kind}:{key}"

    def _write(self, contents: Mapping[str, bytes], lifetime_seconds: int) -> None:
        if not contents:
            return
        try:
            with valkey.connection().pipeline() as pipe:
                for name, content in contents.items():
                    pipe.set(valkey.key(name), content, ex=lifetime_seconds)
                changes.publish(pipe, contents)
                pipe.execute()
        except RedisError:
            logger.warning("Valkey is away: a change may be seen late")
        finally:
            # After Valkey: what is looked up from now on can't find the old answer there.
            changes.drop_in_this_process(contents)

    async def _read(self, key: K, load: Callable[[K], V | None]) -> Loaded[V] | None:
        stored, may_store = await _get(valkey.key(self._name(key)))
        kept = self._unpacked(stored)
        if kept is not None:
            return kept
        found = await in_database(load, key)
        if found is None:
            return None
        if may_store:
            await _store(valkey.key(self._name(key)), self._pack(found), self._lifetime_seconds)
        return Loaded(found, self._lifetime_seconds)

    def _unpacked(self, stored: Loaded[bytes] | None) -> Loaded[V] | None:
        if stored is None:
            return None
        try:
            return Loaded(self._unpack(stored.value), stored.seconds)
        except (KeyError, TypeError, ValueError):  # another release's fields: an upgrade goes on
            return None


async def _get(key: str) -> tuple[Loaded[bytes] | None, bool]:
    """What is stored and how long it will be, and whether it makes sense to store something."""
    try:
        async with (
            asyncio.timeout(_TIMEOUT_SECONDS),
            valkey.async_connection().pipeline(transaction=False) as pipe,
        ):
            pipe.get(key)
            pipe.pttl(key)
            stored, left_ms = cast("tuple[bytes | None, int]", await pipe.execute())
    except (RedisError, OSError, TimeoutError):
        return None, False
    if not stored:
        return None, stored is None
    # One that ended between the two commands has a negative rest.
    return Loaded(stored, max(left_ms, 0) / 1000), False


async def _store(key: str, content: bytes, lifetime_seconds: int) -> None:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            # Only where nothing is: a change announced meanwhile must win.
            await valkey.async_connection().set(key, content, ex=lifetime_seconds, nx=True)
    except (RedisError, OSError, TimeoutError):
        logger.warning("Valkey is away: %s is read from the database", key)
