"""Django's system checks of the files by which downloads are counted."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as Caution

from apps.downloads.networks import read_networks
from apps.downloads.user_agents.current import given_source
from apps.downloads.user_agents.entries import read_lists


def check_files(**kwargs: Any) -> list[CheckMessage]:
    """To be registered with Django's checks.

    Warnings only: the counter can't begin with such a file, but episodes are sent, and hits wait.
    """
    return [*_check_networks(), *_check_lists()]


def _check_networks() -> Iterator[CheckMessage]:
    path = settings.DATACENTER_NETWORKS
    try:
        if path is not None:
            read_networks(path)
    except (OSError, ValueError) as error:
        yield Caution(
            f"LONGWAVE_DATACENTER_NETWORKS: {path} can't be used: {error}",
            hint="Nothing is counted until it can: one network a line (CIDR), # begins a comment.",
            id="downloads.W001",
        )


def _check_lists() -> Iterator[CheckMessage]:
    source = given_source()
    try:
        if source is not None:
            read_lists(source)
    except (OSError, ValueError) as error:
        yield Caution(
            f"The lists of user agents in {source} can't be used: {error}",
            hint="Nothing is counted by a counter that starts now: see docs/operate.md.",
            id="downloads.W002",
        )
