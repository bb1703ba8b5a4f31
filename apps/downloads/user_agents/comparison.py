"""What an operator wants to know of lists before they count by them."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.downloads.agents import AgentList
from apps.downloads.referrers import ReferrerList
from apps.downloads.user_agents.cost import MAX_LENGTH
from apps.downloads.user_agents.current import own_matcher
from apps.downloads.user_agents.entries import LIST_NAMES, Lists
from apps.downloads.user_agents.matching import Matcher, why_unusable


@dataclass(frozen=True, slots=True)
class Misfit:
    """An example that is not found by the entry which brings it."""

    list_name: str
    name: str
    example: str
    reason: str

    def __str__(self) -> str:
        return f"{self.list_name}: {self.name}: {self.example!r}: {self.reason}"


def unusable_entries(lists: Lists) -> list[str]:
    """The entries that matching leaves out, each with the reason."""
    return [
        f"{list_name}: {entry.name}: its pattern {reason}"
        for list_name in LIST_NAMES
        for entry in lists[list_name]
        if (reason := why_unusable(entry))
    ]


def misfits(lists: Lists) -> Iterator[Misfit]:
    """All examples that do not resolve to their own entry, in the order of the lists."""
    given, own = Matcher(lists), own_matcher()
    agents, referrers = AgentList(given, own), ReferrerList(given, own)
    for list_name in LIST_NAMES:
        for entry in lists[list_name]:
            for example in entry.examples:
                text = example[:MAX_LENGTH].strip()
                if list_name == "devices":
                    device = agents.device(text)
                    found = (list_name, device.name) if device else None
                elif list_name == "referrers":
                    referrer = referrers.find(text)
                    found = (list_name, referrer.name) if referrer.is_known else None
                else:
                    known = agents.entry(text)
                    found = (known[0], known[1].name) if known else None
                if found != (list_name, entry.name):
                    reason = (
                        f"{found[0]}: {found[1]} is tried first" if found else "nothing matches"
                    )
                    yield Misfit(list_name, entry.name, example, reason)


def changes(old: Lists, new: Lists) -> Iterator[str]:
    """A line for each entry that is new, changed or removed, and for lists in another order."""
    for list_name in LIST_NAMES:
        before = {entry.name: entry for entry in old[list_name]}
        after = {entry.name: entry for entry in new[list_name]}
        for name in after:
            if name not in before:
                yield f"{list_name}: new: {name}"
            elif before[name] != after[name]:
                yield f"{list_name}: changed: {name}"
        for name in before:
            if name not in after:
                yield f"{list_name}: removed: {name}"
        stayed = [name for name in before if name in after]
        if stayed != [name for name in after if name in before]:
            yield f"{list_name}: in another order"  # the first match wins, so it matters
