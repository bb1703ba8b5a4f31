"""How often streams are begun, and how many one may have open: they are requests that last."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework.exceptions import Throttled

from api.base.problems import ProblemError
from api.base.rates import Asker, asker_of, guesser_at, spend
from apps.accounts.actors import Actor

MOST_STREAMS = 50
"""Of one actor, in this process."""

_open: Counter[str] = Counter()


def count_request(actor: Actor, scope: dict[str, Any]) -> None:
    """As any request of the API; Throttled for one too many. Who is unknown has an address."""
    _spend(asker_of(actor) if actor.is_authenticated else _guesser(scope))


def count_guess(scope: dict[str, Any]) -> None:
    """As :func:`count_request`, for a token that opens nothing."""
    _spend(_guesser(scope))


def _guesser(scope: dict[str, Any]) -> Asker:
    forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
    return guesser_at((scope.get("client") or [None])[0], forwarded)


def _spend(who: Asker) -> None:
    spent = spend(who)
    if spent is not None and not spent.is_allowed:
        raise Throttled(spent.wait_seconds)


@contextmanager
def one_more(actor: Actor) -> Iterator[None]:
    """Within this the actor has one more stream open; ProblemError when that is too many."""
    name = asker_of(actor).name if actor.is_authenticated else ""
    if name and _open[name] >= MOST_STREAMS:
        detail = f"{MOST_STREAMS} streams are open already: close some that are not in use."
        raise ProblemError(429, "too_many_streams", detail)
    _open[name] += 1
    try:
        yield
    finally:
        _open[name] -= 1
        if not _open[name]:
            del _open[name]
