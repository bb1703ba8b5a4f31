"""Which rows of which lists changed: told to whoever has the list open, and kept for a while.

Each list has a log in Valkey of the ids of what changed, by which whoever lost the connection finds
out what they missed; the word that something is new goes through the channel layer. Rows are not
in it: whoever listens reads those they may see.
"""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from redis.exceptions import RedisError

from apps.core import valkey
from apps.core.announcing import announce

logger = logging.getLogger(__name__)

KEPT_SECONDS = 300
KEPT_ENTRIES = 1000
_FIELD = "ids"
# In the place of an id: more changed than is worth naming.
EVERYTHING = "*"
# A channel layer's message: look at the log.
_WORD = {"type": "rows.changed"}


def rows_group(kind: str, place: str = "", place_id: UUID | None = None) -> str:
    """The channel layer's group of a list: ``episodes`` of a ``show``, or of the whole platform."""
    return f"rows.{kind}.{place}.{place_id}" if place_id else f"rows.{kind}"


def log_key(group: str) -> str:
    """Where Valkey has the log of a group."""
    return valkey.key("log", group)


def ids_in(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[str]:
    """The ids of what changed, each once, in the order of their last change."""
    found: dict[str, None] = {}
    for _, fields in entries:
        for row_id in fields[_FIELD.encode()].decode().split():
            found.pop(row_id, None)
            found[row_id] = None
    return list(found)


def tell_of_all(groups: Iterable[str]) -> None:
    """As :func:`tell`, of every row: whoever listens reads the list anew."""
    _tell(groups, [EVERYTHING])


def tell(groups: Iterable[str], row_ids: Iterable[UUID]) -> None:
    """In a change's transaction: once it is committed, tell these groups of these rows.

    All of one transaction is told at once, in however many steps it was made.
    """
    names = list(map(str, row_ids))
    if names:
        _tell(groups, names)


def _tell(groups: Iterable[str], names: list[str]) -> None:
    waiting = _waiting()
    if waiting is not None:
        waiting.add(groups, names)
        return
    telling = _Telling()
    telling.add(groups, names)
    transaction.on_commit(telling, robust=True)


class _Telling:
    """What is told when a transaction is committed."""

    def __init__(self) -> None:
        self._ids: dict[str, dict[str, None]] = {}  # by group, in order

    def add(self, groups: Iterable[str], names: list[str]) -> None:
        for group in groups:
            self._ids.setdefault(group, {}).update(dict.fromkeys(names))

    def __call__(self) -> None:
        """Nothing that was changed is undone because nobody could be told."""
        pipe: Any = valkey.connection().pipeline(transaction=False)
        for group, names in self._ids.items():
            key = log_key(group)
            pipe.xadd(key, {_FIELD: " ".join(names)}, maxlen=KEPT_ENTRIES, approximate=True)
            pipe.expire(key, KEPT_SECONDS)
        try:
            pipe.execute()
        except (RedisError, OSError) as error:
            logger.warning("Lists could not be told of a change: %s", error)
            return
        announce(self._ids, _WORD)


def _waiting() -> _Telling | None:
    """What this transaction tells already.

    It is told unless a savepoint that is still open is rolled back, and then so is what is added
    to it now: those that are open now were open when it was made, or began since.
    """
    hooks: list[Any] = connection.run_on_commit  # in each, the function comes second
    for _, function, *_ in hooks:
        if isinstance(function, _Telling):
            return function
    return None
