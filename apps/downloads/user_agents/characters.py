"""Which characters one place of a pattern takes."""

from re import _constants as op  # type: ignore[attr-defined, unused-ignore]
from string import ascii_letters, digits, whitespace
from typing import Any

_OTHER = 128  # stands for all that is not ASCII
EVERY = frozenset(range(_OTHER + 1))
ONE_CHARACTER = frozenset({op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN})

_DIGITS = frozenset(map(ord, digits))
_SPACES = frozenset(map(ord, whitespace))
_WORD = frozenset(map(ord, ascii_letters + digits + "_"))
_CATEGORIES = {
    op.CATEGORY_DIGIT: _DIGITS,
    op.CATEGORY_NOT_DIGIT: EVERY - _DIGITS,
    op.CATEGORY_SPACE: _SPACES,
    op.CATEGORY_NOT_SPACE: EVERY - _SPACES,
    op.CATEGORY_WORD: _WORD,
    op.CATEGORY_NOT_WORD: EVERY - _WORD,
}


def characters(operation: Any, value: Any) -> frozenset[int]:
    """Those that it may take; letters in both cases, for patterns that ignore it."""
    if operation is op.ANY:
        return EVERY
    if operation is op.LITERAL:
        return _both_cases(value, value)
    if operation is op.NOT_LITERAL:
        return EVERY - {value}
    if operation is op.CATEGORY:
        return _CATEGORIES[value]
    if operation is op.RANGE:
        return _both_cases(*value)
    return _class(value)


def _class(items: list[tuple[Any, Any]]) -> frozenset[int]:
    if items[0][0] is op.NEGATE:
        # Narrowed by neither letter of a pair unless both are excluded.
        excluded = frozenset().union(*(_exactly(*item) for item in items[1:]))
        return EVERY - excluded
    return frozenset().union(*(characters(*item) for item in items))


def _exactly(operation: Any, value: Any) -> frozenset[int]:
    if operation is op.CATEGORY:
        return _CATEGORIES[value] - {_OTHER}
    first, last = value if operation is op.RANGE else (value, value)
    return frozenset(range(first, min(last, _OTHER - 1) + 1))


def _both_cases(first: int, last: int) -> frozenset[int]:
    found = {
        ord(c) for n in range(first, min(last, 127) + 1) for c in (chr(n).lower(), chr(n).upper())
    }
    return frozenset(found | {_OTHER} if last > 127 else found)
