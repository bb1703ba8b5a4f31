"""Objects in the store that no row names: seen in its listing, noted, due after a while."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import batched
from secrets import SystemRandom

from apps.media.models import StrayObject
from apps.media.retention import named_keys
from apps.media.storage import StoredObject, keys, storage

_AT_ONCE = 1000
# Files are stored before their rows: a younger one is usually about to be named.
_SETTLED_AFTER = timedelta(hours=1)


def pages() -> Iterator[tuple[StoredObject, ...]]:
    """Everything stored under our keys, some at a time.

    In shares of random order, so that each has its turn where a run ends before the listing does.
    """
    prefixes = [f"{name}/{digit:x}" for name in keys.CONTENT_FOLDERS for digit in range(16)]
    shares = [f"{keys.ORIGINALS}/", *prefixes]
    for prefix in SystemRandom().sample(shares, len(shares)):
        ours = (found for found in storage().list_objects(prefix) if keys.is_ours(found.key))
        yield from batched(ours, _AT_ONCE, strict=False)


def note(listed: Iterable[StoredObject], at: datetime) -> None:
    """Write down which of these no row names from this moment on, and forget it of the others."""
    found = {item.key: item for item in listed}
    named = named_keys(found.keys())
    StrayObject.objects.filter(key__in=named).delete()
    StrayObject.objects.bulk_create(
        [
            StrayObject(key=item.key, size_bytes=item.size_bytes, unreferenced_since=at)
            for item in found.values()
            if item.key not in named and item.modified_at <= at - _SETTLED_AFTER
        ],
        ignore_conflicts=True,  # it was noted before, which counts
    )


def overdue(before: datetime) -> Iterator[StrayObject]:
    """What has been noted since then, longest first."""
    noted = StrayObject.objects.filter(unreferenced_since__lte=before)
    return noted.order_by("unreferenced_since", "key").iterator(100)
