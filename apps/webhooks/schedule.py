"""When a message is tried again, and when that ends."""

import random
from datetime import timedelta

# After the first attempt, which is made at once; as Standard Webhooks recommends. Ten attempts in
# a little more than three days.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_ATTEMPTS = len(PAUSES) + 1
# Of the pause: receivers that were away are not hit by everything at the same moment.
_JITTER = 0.1


def pause_after(attempts: int, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait after this many failed attempts; None when there is no further one.

    ``asked`` is what the receiver asked for: it can make a pause longer, up to the longest one.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    pause = max(PAUSES[attempts - 1], min(asked or timedelta(), PAUSES[-1]))
    return pause * random.uniform(1, 1 + _JITTER)  # noqa: S311 - no secret
