"""In which order the workers of pytest-xdist are given files: the longest first."""

from collections import Counter

import pytest

# By what each file of the kind takes, in falling order.
LONG = ("schema", "faults", "browser")


def longest_first(items: list[pytest.Item]) -> None:
    """Sort by file, so that none that takes minutes is begun when the others are done.

    Files with a mark of a long suite come first; of the rest those with the most tests, as xdist
    has it for all.
    """
    kinds: dict[object, int] = {}
    for item in items:
        kind = min(
            (LONG.index(mark.name) for mark in item.iter_markers() if mark.name in LONG),
            default=len(LONG),
        )
        kinds[item.path] = min(kind, kinds.get(item.path, kind))
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (kinds[item.path], -sizes[item.path], str(item.path)))
