"""Which lists of user agents this installation counts by, for people who want to know."""

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from apps.downloads.user_agents.current import given_source
from apps.downloads.user_agents.entries import OWN_LISTS, read_lists

_ADDRESSES = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class ListInUse:
    """``source`` is an address where the operator's lists are from one, else empty.

    ``updated_on`` is a day in ISO 8601, empty when nobody noted it.
    """

    is_own_only: bool
    source: str = ""
    updated_on: str = ""


def list_in_use() -> ListInUse:
    """The operator's lists, which are asked before ours, or ours alone."""
    given = given_source()
    if given is None:
        return ListInUse(is_own_only=True)
    try:
        return _described(given, given.stat().st_mtime_ns)
    except (OSError, ValueError):
        return ListInUse(is_own_only=False)


@cache
def own_entries() -> int:
    """How many bots, apps, libraries, browsers, devices and web players our own lists know."""
    return sum(len(entries) for entries in read_lists(OWN_LISTS).values())


@lru_cache(maxsize=1)
def _described(given: Path, changed_at_ns: int) -> ListInUse:
    """A path of the server's disk is nobody's business."""
    if given.is_dir():
        return ListInUse(is_own_only=False)
    about = json.loads(given.read_text(encoding="utf-8"))
    if not isinstance(about, dict):
        return ListInUse(is_own_only=False)
    source = str(about.get("source", ""))
    return ListInUse(
        is_own_only=False,
        source=source if source.startswith(_ADDRESSES) else "",
        updated_on=str(about.get("updated_at", ""))[:10],
    )
