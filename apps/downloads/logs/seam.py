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


def as_messages(hits: Sequence[Hit]) -> list[Message]:
    """Hits as the counter takes them."""
    at_ms = epoch_ms(now())
    return [Message(hit.to_json(), hit, at_ms) for hit in hits]


def count_hits(hits: Sequence[Hit], also: Callable[[], None]) -> None:
    """The counter's own; raises django.db.Error, and what ``also`` raises."""
    count(as_messages(hits), also=also, is_from_log=True)
