"""Which bytes a Range header asks for: parsing and resolving, RFC 9110 section 14."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

MAX_RANGES = 16
"""How many separate stretches one response may have; real players ask for one, rarely two."""

# Far beyond any file; longer numbers would only cost time to convert.
_MAX_DIGITS = 30
# Only ASCII digits: int() would also take signs, underscores and the digits of other scripts.
_RANGE_SPEC = re.compile(r"([0-9]*)-([0-9]*)")
_PLAIN_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class RangeSpec:
    """One range as it was asked for; without `first`, the last `last` bytes (section 14.1.1)."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Bytes of a file from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def stop(self) -> int:
        """The offset after the last byte."""
        return self.last + 1

    @property
    def length(self) -> int:
        """How many bytes there are; never none."""
        return self.last - self.first + 1


class NoRange(Enum):
    """Answers to a Range header other than parts of the file."""

    IGNORED = "ignored"  # answer as if there were no Range header: 200
    UNSATISFIABLE = "unsatisfiable"  # 416


def select_ranges(header: str | None, size: int) -> tuple[Range, ...] | NoRange:
    """The stretches of a file of `size` bytes that answer this Range header.

    Overlapping and touching ranges are joined, so that no byte is sent twice however often it
    was asked for. A header that still wants more than MAX_RANGES stretches is ignored, as
    section 14.2 allows: the whole file is the most that anybody can be sent.
    """
    if header is None:
        return NoRange.IGNORED
    if plain := _PLAIN_RANGE.fullmatch(header):
        return _select_plain(int(plain[1]), plain[2], size)
    specs = parse_range(header)
    if specs is None:
        return NoRange.IGNORED
    ranges = coalesce(resolve(specs, size))
    if not ranges:
        return NoRange.UNSATISFIABLE
    return ranges if len(ranges) <= MAX_RANGES else NoRange.IGNORED


def _select_plain(first: int, last: str, size: int) -> tuple[Range, ...] | NoRange:
    """What `select_ranges` answers to nearly everybody, in a fifth of its time."""
    if last and first > int(last):
        return NoRange.IGNORED
    if first >= size:
        return NoRange.UNSATISFIABLE
    return (Range(first, min(int(last), size - 1) if last else size - 1),)


def parse_range(header: str) -> tuple[RangeSpec, ...] | None:
    """The ranges of a Range header's value; None when it must or may be ignored.

    An unknown unit must be ignored (section 14.2). A malformed header may be ignored or refused;
    ignoring it gives a clumsy client its file.
    """
    unit, equals, range_set = header.strip(" \t").partition("=")
    if not equals or unit.lower() != "bytes" or range_set[:1] in {" ", "\t"}:
        return None
    specs = []
    # A list may have white space around its commas and empty elements (section 5.6.1.2).
    for element in filter(None, (part.strip(" \t") for part in range_set.split(","))):
        spec = _parse_spec(element)
        if spec is None:
            return None
        specs.append(spec)
    return tuple(specs) or None


def _parse_spec(text: str) -> RangeSpec | None:
    match = _RANGE_SPEC.fullmatch(text)
    if match is None or text == "-":
        return None
    first, last = (_clamped(digits) if digits else None for digits in match.groups())
    if first is not None and last is not None and first > last:
        return None
    return RangeSpec(first, last)


def _clamped(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _MAX_DIGITS else 10**_MAX_DIGITS


def resolve(specs: Iterable[RangeSpec], size: int) -> tuple[Range, ...]:
    """What these ranges are in a file of `size` bytes, in order, without unsatisfiable ones."""
    return tuple(r for r in (_resolve_one(spec, size) for spec in specs) if r is not None)


def _resolve_one(spec: RangeSpec, size: int) -> Range | None:
    if spec.first is None:
        first, last = max(0, size - (spec.last or 0)), size - 1
    else:
        first, last = spec.first, size - 1 if spec.last is None else min(spec.last, size - 1)
    return Range(first, last) if first <= last else None


def coalesce(ranges: Sequence[Range]) -> tuple[Range, ...]:
    """Join ranges that overlap or touch; each result stands where its first member was asked for.

    Section 15.3.7.2 allows the joining and wants the order of the request kept.
    """
    joined: list[tuple[int, Range]] = []  # (place in the request, stretch), by offset
    for place, current in sorted(enumerate(ranges), key=lambda pair: pair[1]):
        if joined and current.first <= joined[-1][1].stop:
            earliest, previous = joined[-1]
            merged = Range(previous.first, max(previous.last, current.last))
            joined[-1] = min(earliest, place), merged
        else:
            joined.append((place, current))
    return tuple(stretch for _, stretch in sorted(joined))
