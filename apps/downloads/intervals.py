"""Which bytes of a file: unions of half-open intervals, and their form in PostgreSQL."""

from collections.abc import Collection, Iterable

type Interval = tuple[int, int]
"""``(start, end)``: the bytes from ``start`` up to, not including, ``end``."""


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same bytes as sorted, disjoint intervals with gaps between them; empty ones vanish."""
    left = [interval for interval in intervals if interval[0] < interval[1]]
    if len(left) < 2:  # nearly always, and asked for every hit
        return tuple(left)
    merged: list[Interval] = []
    for start, end in sorted(left):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def clip(intervals: Collection[Interval], size_bytes: int) -> tuple[Interval, ...]:
    """The union of the parts that lie within a file of ``size_bytes``."""
    if len(intervals) == 1:  # nearly always, and asked for every hit
        ((start, end),) = intervals
        start, end = max(start, 0), min(end, size_bytes)
        return ((start, end),) if start < end else ()
    return union([(max(start, 0), min(end, size_bytes)) for start, end in intervals])


def size(disjoint: Iterable[Interval]) -> int:
    """How many bytes a result of :func:`union` holds."""
    return sum(end - start for start, end in disjoint)


def to_multirange(intervals: Iterable[Interval]) -> str:
    """The text form of PostgreSQL's ``int8multirange``, in its canonical order."""
    return "{" + ",".join(f"[{start},{end})" for start, end in union(intervals)) + "}"
