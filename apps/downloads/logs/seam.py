"""Where logs meet the counter."""

from collections.abc import Callable, Sequence

from django.utils.module_loading import import_string

from apps.downloads.hit import Hit

type CountHits = Callable[[Sequence[Hit], Callable[[], None]], None]
"""Count these hits, and call the second argument inside the same transaction.

The call stores how far the log was read: both are committed, or neither.
"""

_COUNT_HITS = "apps.downloads.counting.count_hits"


def count_hits(hits: Sequence[Hit], also: Callable[[], None]) -> None:
    """The counter's own; raises ImportError in an installation without it."""
    import_string(_COUNT_HITS)(hits, also=also)
