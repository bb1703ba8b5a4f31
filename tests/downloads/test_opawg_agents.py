"""OPAWG's list, where there is a copy: every example of it belongs to its own entry."""

import os
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from apps.downloads.agents import classify
from apps.downloads.referrers import find_referrer
from apps.downloads.user_agents.comparison import misfits, unusable_entries
from apps.downloads.user_agents.cost import MAX_LENGTH
from apps.downloads.user_agents.entries import LIST_NAMES, Lists, read_lists

FOLDER = Path(
    os.environ.get(
        "OPAWG_LISTS", django_settings.PROJECT.parent / "shared/data/opawg-user-agents-v2"
    )
)
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no copy of OPAWG's lists is here")

# All that is not found by its own entry, and why. Nothing on our side can change it: the format
# says that the first entry which matches wins.
KNOWN_MISFITS = {
    (
        "devices",
        "Apple Watch",
        "Watch/1140 CFNetwork/3860.200.71 Darwin/25.1.0",
    ): "devices: Apple iPhone is tried first",  # it takes whatever says CFNetwork
}


@pytest.fixture(scope="module")
def lists() -> Lists:
    """The lists as they are in the folder."""
    return read_lists(FOLDER)


def test_every_example_belongs_to_its_own_entry(lists: Lists) -> None:
    found = {(one.list_name, one.name, one.example): one.reason for one in misfits(lists)}

    assert found == KNOWN_MISFITS
    assert sum(len(entry.examples) for name in LIST_NAMES for entry in lists[name]) > 1_000


def test_every_entry_can_be_used(lists: Lists) -> None:
    assert unusable_entries(lists) == []


def test_what_matching_leaves_of_an_agent_is_all_of_every_example(lists: Lists) -> None:
    for name in LIST_NAMES:
        for entry in lists[name]:
            for example in entry.examples:
                assert example[:MAX_LENGTH].strip() == example


def test_what_is_counted_is_what_the_entry_says(lists: Lists, settings: Settings) -> None:
    settings.USER_AGENTS = FOLDER

    kinds = {"bots": "bot", "apps": "app", "libraries": "library", "browsers": "browser"}
    for list_name, kind in kinds.items():
        for entry in lists[list_name]:
            for example in entry.examples:
                found = classify(example)
                label = "Unknown Apple app" if entry.name == "AppleCoreMedia" else entry.name
                assert (found.kind, found.name) == (kind, label)
                assert found.is_server_library == (
                    list_name == "libraries" and entry.category == "bot"
                )


def test_a_referrer_is_the_same_by_its_address_and_by_its_host(
    lists: Lists, settings: Settings
) -> None:
    settings.USER_AGENTS = FOLDER

    for entry in lists["referrers"]:
        for example in entry.examples:
            host = example.split("/")[2]  # all that a hit carries
            assert find_referrer(example).name == entry.name
            assert (find_referrer(host).name, find_referrer(host).category) == (
                entry.name,
                entry.category,
            )
