"""What a user agent is: a bot, an app, a library or a browser, and on which device it runs."""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)

OWN_PATTERNS = Path(__file__).with_name("agents.json")
# Patterns see no more than this of an agent: their cost can't be chosen by whoever sends it.
MAX_AGENT_LENGTH = 512
MAX_CACHED_AGENTS = 50_000

# Lists name the component; people should read what it stands for.
_LABELS = {"AppleCoreMedia": "Unknown Apple app"}


class AgentKind(StrEnum):
    """In the order in which patterns are tried; the first match wins."""

    BOT = "bot"
    APP = "app"
    LIBRARY = "library"
    BROWSER = "browser"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Agent:
    """``platform`` is the device's class: mobile, tablet, computer, smart_speaker, ..."""

    kind: AgentKind
    name: str = ""
    device: str = ""
    platform: str = ""
    is_server_library: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """One entry of a list; ``category`` is "bot" for server libraries, or a device's class."""

    name: str
    expression: re.Pattern[str]
    category: str = ""


class AgentList:
    """Patterns in four lists and one of devices, tried in order."""

    def __init__(self, entries: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        self._kinds = {
            AgentKind.BOT: _compile(entries["bots"]),
            AgentKind.APP: _compile(entries["apps"]),
            AgentKind.LIBRARY: _compile(entries["libraries"]),
            AgentKind.BROWSER: _compile(entries["browsers"]),
        }
        self._devices = _compile(entries["devices"])
        self.classify = lru_cache(maxsize=MAX_CACHED_AGENTS)(self._classify)

    def _classify(self, agent: str) -> Agent:
        """What the (already shortened) agent is."""
        for kind, patterns in self._kinds.items():
            found = _first(patterns, agent)
            if found is None:
                continue
            if kind is AgentKind.BOT:
                return Agent(kind, found.name)
            device = _first(self._devices, agent)
            return Agent(
                kind,
                _LABELS.get(found.name, found.name),
                device.name if device else "",
                device.category if device else "",
                is_server_library=kind is AgentKind.LIBRARY and found.category == "bot",
            )
        device = _first(self._devices, agent)
        return Agent(
            AgentKind.UNKNOWN,
            device=device.name if device else "",
            platform=device.category if device else "",
        )


def _compile(entries: Iterable[Mapping[str, Any]]) -> tuple[Pattern, ...]:
    patterns = []
    for entry in entries:
        try:
            expression = re.compile(entry["pattern"])
        except re.error:
            # One expression of another dialect must not stop the counting of all shows.
            logger.warning("User-agent pattern of %r is no regular expression", entry["name"])
            continue
        patterns.append(Pattern(entry["name"], expression, entry.get("category", "")))
    return tuple(patterns)


def _first(patterns: Iterable[Pattern], agent: str) -> Pattern | None:
    return next((pattern for pattern in patterns if pattern.expression.search(agent)), None)


def read_own_patterns() -> dict[str, Any]:
    """The lists that come with Longwave."""
    entries: dict[str, Any] = json.loads(OWN_PATTERNS.read_text(encoding="utf-8"))
    return entries


def read_opawg_folder(folder: Path) -> dict[str, Any]:
    """The lists of OPAWG's user-agents-v2, one JSON file each; raises OSError, ValueError."""
    return {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["entries"]
        for name in ("bots", "apps", "libraries", "browsers", "devices")
    }


@cache
def _load(folder: Path | None) -> AgentList:
    return AgentList(read_own_patterns() if folder is None else read_opawg_folder(folder))


def classify(agent: str) -> Agent:
    """What this agent is, by the operator's lists or else by our own."""
    return _load(settings.USER_AGENTS).classify(agent[:MAX_AGENT_LENGTH].strip())
