"""Whether what was sent is what the database says was sent: to whom, of which file, which bytes."""

import time
from collections.abc import Iterable

from apps.downloads.intervals import Interval, union
from apps.downloads.keys import Keyed
from bench.accounts import Who, add_up, find_fault
from bench.backlog import wait_until_counted
from bench.jobs import HEADERS
from bench.load.bodies import FaultError
from bench.scenario import Scene, say
from bench.servers import Server

PATIENCE_SECONDS = 15


def check_recorded(scene: Scene, *servers: Server) -> None:
    """Compare everything so far; raises FaultError at the first byte too many or too few."""
    for server in servers:
        scene.sent.extend(server.sent)
        server.sent.clear()
    accounts = add_up(
        scene.sent, {file.as_episode.path: file.episode for file in scene.seeded.large}
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    wait_until_counted()
    while fault := find_fault(accounts, _recorded(scene, accounts)):
        if time.monotonic() > deadline:
            raise FaultError(fault)
        time.sleep(0.2)  # a server may not know yet that somebody left
    answers = sum(account.answers for account in accounts.values())
    say(
        f"Of {len(accounts):,} listeners, with {answers:,} whole answers so far, the database "
        "knows every byte and no more"
    )


def _recorded(scene: Scene, accounts: Iterable[Who]) -> dict[Who, tuple[Interval, ...]]:
    """What the database says about these listeners, over midnight if need be."""
    from apps.downloads.models import Coverage, DayKey  # need the settings

    addresses = {address for _, address in accounts}
    found: dict[Who, tuple[Interval, ...]] = {}
    for day in DayKey.objects.all():
        keyed = Keyed(bytes(day.key))
        names = {
            keyed.listener(scene.seeded.organization, address, HEADERS["User-Agent"]): address
            for address in addresses
        }
        rows = Coverage.objects.filter(day=day.day, show=scene.seeded.show)
        for episode, key, served in rows.values_list("episode", "listener_key", "served"):
            if (address := names.get(bytes(key))) is not None:
                who = (episode, address)
                found[who] = union((*found.get(who, ()), *served))
    return found
