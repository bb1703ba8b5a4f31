"""Which entry of a set of lists a text belongs to: the first that matches."""

import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from apps.downloads.user_agents.cost import CostlyPatternError, check_cost, is_anchored
from apps.downloads.user_agents.entries import Entry, Lists

logger = logging.getLogger(__name__)

_UNUSABLE = (re.error, ValueError, RecursionError, OverflowError)
# The order of the rules: bots, then apps, then libraries, then browsers.
AGENT_LISTS = ("bots", "apps", "libraries", "browsers")


@dataclass(frozen=True, slots=True)
class Pattern:
    """An entry that can be tried on a text of at most `cost.MAX_LENGTH` characters."""

    entry: Entry
    matches: Callable[[str], object]


class Matcher:
    """The lists of one source, compiled. An unusable pattern is left out, with a warning:

    one expression of another dialect must not stop the counting of all shows.
    """

    def __init__(self, lists: Lists) -> None:
        self._patterns = {name: tuple(_usable(name, found)) for name, found in lists.items()}

    def first(self, list_name: str, text: str) -> Entry | None:
        """The first entry of this list that matches."""
        for pattern in self._patterns[list_name]:
            if pattern.matches(text):
                return pattern.entry
        return None

    def agent(self, text: str) -> tuple[str, Entry] | None:
        """The list that knows the agent, and its entry there."""
        for list_name in AGENT_LISTS:
            entry = self.first(list_name, text)
            if entry is not None:
                return list_name, entry
        return None


def compile_pattern(pattern: str) -> Callable[[str], object]:
    r"""A function that says whether the pattern is in a text; raises one of ``_UNUSABLE``.

    ``\w``, ``\d`` and ``\b`` mean ASCII, as they do in JavaScript, where OPAWG tries its lists.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of what a later Python may read otherwise
        check_cost(pattern)
        expression = re.compile(pattern, re.ASCII)
    # `search` would try an anchored expression at each place of the text.
    return expression.match if is_anchored(pattern) else expression.search


def why_unusable(entry: Entry) -> str:
    """Why its pattern can't be used, empty when it can."""
    try:
        compile_pattern(entry.pattern)
    except CostlyPatternError as error:
        return str(error)
    except _UNUSABLE as error:
        return f"is no regular expression: {error}"
    return ""


def _usable(list_name: str, entries: Iterable[Entry]) -> Iterator[Pattern]:
    for entry in entries:
        try:
            yield Pattern(entry, compile_pattern(entry.pattern))
        except _UNUSABLE as error:
            logger.warning(
                "User agents: left out %r of %s, its pattern: %s", entry.name, list_name, error
            )
