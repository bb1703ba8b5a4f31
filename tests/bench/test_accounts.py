"""What listeners got must be in the database, and nothing that they did not ask for."""

from pathlib import Path
from uuid import UUID

import pytest

from apps.downloads.intervals import Interval
from bench.accounts import Account, add_up, find_fault
from bench.load.asking import listener_address, wishes
from bench.load.job import Job, Kind, Outcome, Target

EPISODE = UUID(int=1)
WHO = (EPISODE, listener_address(0))
ACCOUNT = Account(got=[(0, 100), (200, 250)], under_way=[(200, 300)])


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (((0, 100), (200, 250)), None),
        (((0, 100), (200, 280)), None),
        (((0, 100), (200, 249)), "not all among"),
        (((1, 100), (200, 250)), "not all among"),
        ((), "not all among"),
        (((0, 101), (200, 250)), "asked for less"),
        (((0, 100), (200, 301)), "asked for less"),
    ],
)
def test_rows_must_be_what_was_sent(recorded: tuple[Interval, ...], expected: str | None) -> None:
    fault = find_fault({WHO: ACCOUNT}, {WHO: recorded})
    assert fault is None if expected is None else expected in str(fault)


def test_accounts_hold_what_was_asked_for_and_answered(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(5_000_000))
    job = Job(Kind.RANGES, 1, (Target("/episode", str(file)),), connections=2, seconds=1)
    outcome = Outcome(*(1.0, 3, 0, 0.0, 0.0, 0.0, 0.0), answered=(3, 0), under_way=(1000, 0))
    accounts = add_up([(job, outcome)], {"/episode": EPISODE})

    asked = wishes(job, 0, {str(file): 5_000_000})
    first = [(wish.start, wish.stop) for wish, _ in zip(asked, range(4), strict=False)]
    account = accounts[WHO]
    assert account.answers == 3
    assert account.got == [*first[:3], (first[3][0], first[3][0] + 1000)]
    assert account.under_way == [first[3]]
    assert accounts[EPISODE, listener_address(1)].answers == 0


def test_other_peoples_targets_are_no_listeners(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a page")
    job = Job(Kind.WHOLE, 1, (Target("/", str(file)),), connections=1, seconds=1)
    outcome = Outcome(*(1.0, 3, 0, 0.0, 0.0, 0.0, 0.0), answered=(3,), under_way=(0,))
    assert add_up([(job, outcome)], {"/episode": EPISODE}) == {}
