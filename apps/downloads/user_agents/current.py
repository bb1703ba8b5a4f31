"""Which lists are in force: the operator's, those of the last update, or our own."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from time import monotonic

from django.conf import settings
from django.core.signals import setting_changed

from apps.downloads.user_agents.entries import LIST_NAMES, OWN_LISTS, read_lists
from apps.downloads.user_agents.matching import Matcher

logger = logging.getLogger(__name__)

# For so long a process may work by lists that were replaced.
LOOK_EVERY_SECONDS = 15.0
_UPDATED_FILE = "user-agents.json"

type _Signature = tuple[tuple[int, int, int], ...]


def updated_file() -> Path:
    """Where `manage.py update_user_agents` puts the lists of this installation."""
    return Path(settings.DATA) / _UPDATED_FILE


def given_source() -> Path | None:
    """The lists that are to be in force instead of our own: a file or a folder."""
    if settings.USER_AGENTS:
        return Path(settings.USER_AGENTS)
    return updated_file() if updated_file().exists() else None


@cache
def own_matcher() -> Matcher:
    """The lists that come with Longwave."""
    return Matcher(read_lists(OWN_LISTS))


@lru_cache(maxsize=1)  # what is made of lists may be several things
def _matcher(source: Path, signature: _Signature) -> Matcher:
    return Matcher(read_lists(source))


@dataclass(frozen=True, slots=True)
class _Loaded[T]:
    source: Path | None
    signature: _Signature
    result: T


class Reloaded[T]:
    """What is made of the lists in force, made anew within LOOK_EVERY_SECONDS of a change.

    ``make`` is given the operator's lists, or None when there are none. Threads may share it: at
    worst two of them read the same files.
    """

    def __init__(self, make: Callable[[Matcher | None], T]) -> None:
        self._make = make
        self._loaded: _Loaded[T] | None = None
        self._look_at = 0.0
        setting_changed.connect(self._on_setting)

    def get(self) -> T:
        """Raises OSError and MalformedListError when the first lists of a process are no lists."""
        loaded = self._loaded
        if loaded is not None and monotonic() < self._look_at:
            return loaded.result
        return self._look(loaded)

    def _look(self, loaded: _Loaded[T] | None) -> T:
        source = given_source()
        signature = _signature(source)
        if loaded is None or (loaded.source, loaded.signature) != (source, signature):
            loaded = self._load(source, signature, loaded)
        self._loaded = loaded
        self._look_at = monotonic() + LOOK_EVERY_SECONDS
        return loaded.result

    def _load(
        self, source: Path | None, signature: _Signature, before: _Loaded[T] | None
    ) -> _Loaded[T]:
        try:
            matcher = None if source is None else _matcher(source, signature)
        except (OSError, ValueError) as error:
            if before is None:
                raise
            # Counting goes on by what was in force; the signature keeps this from being said again.
            logger.error("User agents: kept the lists from before, %s: %s", source, error)
            return _Loaded(source, signature, before.result)
        logger.info("User agents: by %s", source or "our own lists")
        return _Loaded(source, signature, self._make(matcher))

    def _on_setting(self, *, setting: str, **_: object) -> None:
        if setting in {"USER_AGENTS", "DATA"}:
            self._loaded = None


def _signature(source: Path | None) -> _Signature:
    """Changes whenever a file is replaced or written to."""
    if source is None:
        return ()
    files = [source / f"{name}.json" for name in LIST_NAMES] if source.is_dir() else [source]
    return tuple(_stamp(file) for file in files)


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)
