"""Our own lists: complete, without two entries for one agent, and cheap to try."""

import pytest

from apps.downloads.agents import AgentKind, AgentList, classify
from apps.downloads.referrers import find_referrer
from apps.downloads.user_agents.cost import MAX_STEPS, most_steps
from apps.downloads.user_agents.current import own_matcher
from apps.downloads.user_agents.entries import LIST_NAMES, OWN_LISTS, read_lists
from apps.downloads.user_agents.matching import AGENT_LISTS, why_unusable
from tests.downloads.agent_examples import EXAMPLES

LISTS = read_lists(OWN_LISTS)
ENTRIES = [(name, entry) for name in LIST_NAMES for entry in LISTS[name]]
AGENTS = [
    (list_name, name, agent)
    for list_name in AGENT_LISTS
    for name, agents in EXAMPLES[list_name].items()
    for agent in agents
]


def test_every_entry_has_an_example_and_every_example_an_entry() -> None:
    for list_name in LIST_NAMES:
        assert list(EXAMPLES[list_name]) == [entry.name for entry in LISTS[list_name]]
        assert all(EXAMPLES[list_name].values())


def test_the_lists_hold_what_matters_to_podcasting() -> None:
    counts = {name: len(LISTS[name]) for name in LIST_NAMES}

    assert counts["bots"] >= 100
    assert sum(counts[name] for name in ("apps", "libraries", "browsers", "devices")) >= 400


@pytest.mark.parametrize(("list_name", "name", "agent"), AGENTS)
def test_an_agent_is_found_by_its_own_entry(list_name: str, name: str, agent: str) -> None:
    found = AgentList(None, own_matcher()).entry(agent)

    assert found is not None
    assert (found[0], found[1].name) == (list_name, name)
    assert (classify(agent).kind is AgentKind.BOT) == (list_name == "bots")


@pytest.mark.parametrize(
    ("name", "agent"),
    [(name, agent) for name, agents in EXAMPLES["devices"].items() for agent in agents],
)
def test_a_device_is_found_by_its_own_entry(name: str, agent: str) -> None:
    assert classify(agent).device == name


@pytest.mark.parametrize(
    ("name", "referrer"),
    [(name, referrer) for name, known in EXAMPLES["referrers"].items() for referrer in known],
)
def test_a_referrer_is_found_by_its_own_entry(name: str, referrer: str) -> None:
    assert (find_referrer(referrer).name, find_referrer(referrer).is_known) == (name, True)


def test_no_agent_can_make_an_entry_slow() -> None:
    costs = {
        f"{list_name}: {entry.name}": most_steps(entry.pattern) for list_name, entry in ENTRIES
    }

    assert not [why_unusable(entry) for _, entry in ENTRIES if why_unusable(entry)]
    assert {name: cost for name, cost in costs.items() if cost > MAX_STEPS / 10} == {}


def test_every_device_has_a_class_and_every_library_says_whose_it_is() -> None:
    assert all(entry.category for entry in LISTS["devices"])
    assert {entry.category for entry in LISTS["libraries"]} == {"", "bot"}
