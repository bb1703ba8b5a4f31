"""How a process that counts tells the one that publishes which boards have news."""

from collections.abc import Collection

from apps.core import valkey
from apps.live.groups import Board


def hand_over(boards: Collection[Board], *, are_totals: bool = True) -> None:
    """Note that these boards' totals (or only what goes on there) changed."""
    if boards:
        key = _key(are_totals=are_totals)
        pipe = valkey.connection().pipeline(transaction=False)
        pipe.sadd(key, *(board.group for board in boards))
        pipe.expire(key, 60)  # without a publisher nobody is told anything
        pipe.execute()


def take() -> tuple[set[Board], set[Board]]:
    """The boards with new totals, and those where something goes on; each is given out once."""
    pipe = valkey.connection().pipeline(transaction=True)
    for are_totals in (True, False):
        pipe.smembers(_key(are_totals=are_totals))
        pipe.delete(_key(are_totals=are_totals))
    with_totals, _, active, _ = pipe.execute()
    return _boards(with_totals), _boards(active)


def _boards(groups: set[bytes]) -> set[Board]:
    return {Board.from_group(group.decode()) for group in groups}


def _key(*, are_totals: bool) -> str:
    return valkey.key("live", "news", "totals" if are_totals else "activity")
