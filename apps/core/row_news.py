"""Which rows of which lists changed: told to whoever has the list open, and kept for a while.

Each list has a log in Valkey of the ids of what changed, by which whoever lost the connection finds
out what they missed; the word that something is new goes through the channel layer. Rows are not
in it: whoever listens reads those they may see.
"""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from apps.core import valkey
from apps.core.announcing import announce
from apps.core.commits import gather_on_commit

logger = logging.getLogger(__name__)

KEPT_SECONDS = 300
KEPT_ENTRIES = 1000
_FIELD = "ids"
_KEY = "rows"
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
    return _last_mentions(
        row_id for _, fields in entries for row_id in fields[_FIELD.encode()].decode().split()
    )


def _last_mentions(names: Iterable[str]) -> list[str]:
    """Each once, where it was named last."""
    found: dict[str, None] = {}
    for name in names:
        found.pop(name, None)
        found[name] = None
    return list(found)


def tell_of_all(groups: Iterable[str]) -> None:
    """As :func:`tell`, of every row: whoever listens reads the list anew."""
    _tell(groups, [EVERYTHING])


def tell(groups: Iterable[str], row_ids: Iterable[UUID]) -> None:
    """In a change's transaction: once it is committed, tell these groups of these rows.

    All of one transaction is told at once, in however many steps it was made.
    """
    _tell(groups, map(str, row_ids))


def _tell(groups: Iterable[str], names: Iterable[str]) -> None:
    """In the order of the changes."""
    places = list(groups)
    changed = [(group, name) for name in names for group in places]
    if changed:
        gather_on_commit(_KEY, _tell_now, changed)


def _tell_now(changed: Iterable[tuple[str, str]]) -> None:
    """Nothing that was changed is undone because nobody could be told."""
    ids: dict[str, list[str]] = {}
    for group, name in changed:
        ids.setdefault(group, []).append(name)
    pipe: Any = valkey.connection().pipeline(transaction=False)
    for group, names in ids.items():
        key, value = log_key(group), " ".join(_last_mentions(names))
        pipe.xadd(key, {_FIELD: value}, maxlen=KEPT_ENTRIES, approximate=True)
        pipe.expire(key, KEPT_SECONDS)
    try:
        pipe.execute()
    except (RedisError, OSError) as error:
        logger.warning("Lists could not be told of a change: %s", error)
        return
    announce(ids, _WORD)
