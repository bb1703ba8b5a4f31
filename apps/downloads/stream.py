"""The stream of hits in Valkey: its name, its form, its length, and its consumer group."""

import secrets
from typing import cast

import redis

from apps.core import valkey

FIELD = b"h"
# Marks what was held up in a journal, so that it isn't taken for something that happens now.
SPOOLED_FIELD = b"s"
# About a gigabyte of memory; beyond it hits wait in their journals.
MAX_LENGTH = 1_000_000

GROUP = "counters"
BEGINNING = "0-0"

type Entry = tuple[bytes, dict[bytes, bytes]]

# The group and the name of the stream's life are made together: after a loss of Valkey's data
# entries may have ids that were there before.
_BEGIN = """
local epoch = redis.call('GET', KEYS[2])
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if epoch and not groups['err'] and #groups > 0 then return epoch end
if groups['err'] or #groups == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
end
redis.call('SET', KEYS[2], ARGV[2])
return ARGV[2]
"""
# What is committed leaves the stream: addresses stay in it for moments only. Everything before
# the oldest entry that some consumer still holds is committed.
_DONE = """
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
if pending[1] > 0 then
  return redis.call('XTRIM', KEYS[1], 'MINID', pending[2])
end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local found = {}
  for i = 1, #group, 2 do found[group[i]] = group[i + 1] end
  if found['name'] == ARGV[1] then
    local ms, seq = string.match(found['last-delivered-id'], '(%d+)-(%d+)')
    return redis.call('XTRIM', KEYS[1], 'MINID', ms .. '-' .. string.format('%.0f', seq + 1))
  end
end
return 0
"""
# Lua's `unpack` has a limit of some thousand values.
_ACK_AT_ONCE = 4000


# Unless entries were given to it meanwhile.
_FORGET = """
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return #pending
"""


def name() -> str:
    """The stream's key."""
    return valkey.key("hits")


def parse_id(entry_id: str) -> tuple[int, int]:
    """An entry's id as numbers that compare as the ids do."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)


def begin(client: redis.Redis) -> str:
    """Make the consumer group unless it exists; the name of the stream's life so far."""
    found = client.eval(_BEGIN, 2, name(), _epoch_key(), GROUP, secrets.token_hex(8))
    return cast("bytes", found).decode()


def read(
    client: redis.Redis, consumer: str, *, after: str, count: int, block_ms: int | None = None
) -> list[Entry]:
    """Entries of this consumer, oldest first: new ones (after ">"), or ones it was given before.

    Raises redis.ResponseError (NOGROUP) when the stream was lost.
    """
    found = cast(
        "list[tuple[bytes, list[Entry]]]",
        client.xreadgroup(GROUP, consumer, {name(): after}, count=count, block=block_ms),
    )
    return found[0][1] if found else []


def done(client: redis.Redis, ids: list[bytes]) -> None:
    """These entries are committed."""
    for start in range(0, len(ids), _ACK_AT_ONCE):
        client.eval(_DONE, 1, name(), GROUP, *ids[start : start + _ACK_AT_ONCE])


def forget(client: redis.Redis, consumer: str) -> bool:
    """Remove a consumer that nobody goes by the name of; whether nothing is left for others."""
    return not client.eval(_FORGET, 1, name(), GROUP, consumer)


def consumers_with_entries(client: redis.Redis) -> set[str]:
    """Who was given entries that are not known to be committed."""
    pending = client.xpending(name(), GROUP)
    return {found["name"].decode() for found in pending["consumers"] or ()}


def _epoch_key() -> str:
    return valkey.key("hits", "epoch")
