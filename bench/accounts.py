"""What every listener got of every file, by the load generator's word, beside what was recorded."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import UUID

from apps.downloads.intervals import Interval, size, union
from bench.load.asking import listener_address, wishes
from bench.load.job import Job, Kind, Outcome

type Who = tuple[UUID, str]
"""An episode, and the address that listened to it."""


@dataclass(slots=True)
class Account:
    """What came for certain, and what may have been on its way when the listener left."""

    got: list[Interval] = field(default_factory=list)
    under_way: list[Interval] = field(default_factory=list)
    answers: int = 0


def add_up(sent: Iterable[tuple[Job, Outcome]], episodes: Mapping[str, UUID]) -> dict[Who, Account]:
    """By listener; the wishes are made again, as the same seed makes the same ones."""
    accounts: dict[Who, Account] = defaultdict(Account)
    for job, outcome in sent:
        if job.kind not in {Kind.WHOLE, Kind.RANGES} or job.targets[0].path not in episodes:
            continue
        sizes = {target.file: Path(target.file).stat().st_size for target in job.targets}
        for connection, answered in enumerate(outcome.answered):
            asked, address = wishes(job, connection, sizes), listener_address(connection)
            for wish in islice(asked, answered):
                account = accounts[episodes[wish.target.path], address]
                account.got.append((wish.start, wish.stop))
                account.answers += 1
            last = next(asked)
            account = accounts[episodes[last.target.path], address]
            account.got.append((last.start, last.start + outcome.under_way[connection]))
            account.under_way.append((last.start, last.stop))
    return accounts


def find_fault(
    accounts: Mapping[Who, Account], recorded: Mapping[Who, tuple[Interval, ...]]
) -> str | None:
    """The first byte too few or too many, in words."""
    for who, account in accounts.items():
        rows, got = recorded.get(who, ()), union(account.got)
        if not _holds(rows, got):
            return f"{who} got {size(got):,} bytes that are not all among {size(rows):,}"
        if not _holds(union((*got, *account.under_way)), rows):
            return f"{who} asked for less than the {size(rows):,} bytes in the database"
    return None


def _holds(all_of_it: tuple[Interval, ...], part: tuple[Interval, ...]) -> bool:
    return size(union((*all_of_it, *part))) == size(all_of_it)
