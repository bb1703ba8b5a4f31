"""What a user agent is: a bot, an app, a library or a browser, and on which device it runs."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from apps.downloads.user_agents.cost import MAX_LENGTH
from apps.downloads.user_agents.current import Reloaded, own_matcher
from apps.downloads.user_agents.entries import Entry
from apps.downloads.user_agents.matching import Matcher

# Patterns see no more than this of an agent: their cost can't be chosen by whoever sends it.
MAX_AGENT_LENGTH = MAX_LENGTH
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


_KINDS = {
    "bots": AgentKind.BOT,
    "apps": AgentKind.APP,
    "libraries": AgentKind.LIBRARY,
    "browsers": AgentKind.BROWSER,
}


@dataclass(frozen=True, slots=True)
class Agent:
    """``platform`` is the device's class: mobile, tablet, computer, smart_speaker, ..."""

    kind: AgentKind
    name: str = ""
    device: str = ""
    platform: str = ""
    is_server_library: bool = False


class AgentList:
    """The operator's lists, and ours for what they leave open (docs/adr/0016)."""

    def __init__(self, given: Matcher | None, own: Matcher) -> None:
        self._given = given
        self._own = own
        self.classify = lru_cache(maxsize=MAX_CACHED_AGENTS)(self._classify)

    def entry(self, agent: str) -> tuple[str, Entry] | None:
        """The name of the list that knows the (already shortened) agent, and its entry there."""
        found = self._given.agent(agent) if self._given else None
        if found is None:
            return self._own.agent(agent)
        if found[0] == "browsers":  # most bots that hide pretend to be one
            bot = self._own.first("bots", agent)
            return ("bots", bot) if bot else found
        return found

    def device(self, agent: str) -> Entry | None:
        """The entry of the device that the agent runs on."""
        found = self._given.first("devices", agent) if self._given else None
        return found or self._own.first("devices", agent)

    def _classify(self, agent: str) -> Agent:
        agent = _as_written(agent)
        found = self.entry(agent)
        if found is not None and found[0] == "bots":
            return Agent(AgentKind.BOT, found[1].name)
        device = self.device(agent)
        return Agent(
            _KINDS[found[0]] if found else AgentKind.UNKNOWN,
            _LABELS.get(found[1].name, found[1].name) if found else "",
            device.name if device else "",
            device.category if device else "",
            is_server_library=bool(
                found and found[0] == "libraries" and found[1].category == "bot"
            ),
        )


_in_force = Reloaded(lambda given: AgentList(given, own_matcher()))


def classify(agent: str) -> Agent:
    """What this agent is, by the lists in force; raises OSError, ValueError if they are none."""
    return _in_force.get().classify(agent[:MAX_AGENT_LENGTH].strip())


def _as_written(agent: str) -> str:
    """The agent, where somebody wrote UTF-8 into a header, whose bytes are read as Latin-1."""
    if agent.isascii():
        return agent
    try:
        return agent.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return agent
