"""Where logs meet the counter."""

from collections.abc import Callable, Sequence

from apps.core.clock import now
from apps.downloads.batch import Message
from apps.downloads.counting import count
from apps.downloads.hit import Hit
from apps.downloads.window import epoch_ms

type CountHits = Callable[[Sequence[Hit], Callable[[], None]], None]
"""Count these hits, and call the second argument inside the same transaction.

The call stores how far the log was read: both are committed, or neither.
"""


def count_hits(hits: Sequence[Hit], also: Callable[[], None]) -> None:
    """The counter's own; raises django.db.Error, and what ``also`` raises."""
    at = now()
    messages = [Message(hit.to_json(), hit, epoch_ms(at)) for hit in hits]
    count(messages, also=also, at=at, is_from_log=True)
