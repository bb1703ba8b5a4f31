"""What follows a commit once, in however many steps of the transaction it was asked for."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from django.db import connection, transaction


class _Following[T]:
    """What is called when the transaction is committed, with all that was gathered until then."""

    def __init__(self, key: Hashable, call: Callable[[list[T]], object]) -> None:
        self.key = key
        self.items: list[T] = []
        self.is_waiting = True
        self._call = call

    def __call__(self) -> None:
        self.is_waiting = False
        self._call(self.items)


def once_on_commit(key: Hashable, call: Callable[[], object]) -> None:
    """As :func:`gather_on_commit`, with nothing to gather."""
    gather_on_commit(key, lambda _: call(), ())


def gather_on_commit[T](
    key: Hashable, call: Callable[[list[T]], object], items: Iterable[T]
) -> None:
    """Call this after the commit, with the items of all calls with this key, in their order.

    The function of the first call is the one that is called. An error of it is logged, and
    nothing is undone. Outside a transaction it is called at once.

    It is called unless a savepoint that is still open is rolled back, and then so is what was
    done since: those that are open now were open at the first call, or began since. Items that
    were added within a savepoint that is rolled back alone stay.
    """
    following = _waiting(key)
    if following is not None:
        following.items.extend(items)
        return
    following = _Following(key, call)
    following.items.extend(items)
    transaction.on_commit(following, robust=True)


def is_to_follow(key: Hashable) -> bool:
    """Whether this transaction has asked for it already.

    What was written when it asked is written still: both would have been rolled back together.
    """
    return _waiting(key) is not None


def _waiting(key: Hashable) -> _Following[Any] | None:
    hooks: list[Any] = connection.run_on_commit  # in each, the function comes second
    for _, function, *_ in hooks:
        if isinstance(function, _Following) and function.is_waiting and function.key == key:
            return function
    return None
