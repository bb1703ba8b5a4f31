"""The stream of hits in Valkey: its name, its form and how long it may grow."""

from apps.core import valkey

FIELD = b"h"
# Marks what was held up in a journal, so that it isn't taken for something that happens now.
SPOOLED_FIELD = b"s"
# About a gigabyte of memory; beyond it hits wait in their journals.
MAX_LENGTH = 1_000_000


def name() -> str:
    """The stream's key."""
    return valkey.key("hits")


def parse_id(entry_id: str) -> tuple[int, int]:
    """An entry's id as numbers that compare as the ids do."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)


def next_id(entry_id: str) -> str:
    """The smallest id after this one."""
    milliseconds, sequence = parse_id(entry_id)
    return f"{milliseconds}-{sequence + 1}"
