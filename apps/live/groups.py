"""Which live boards exist, and which of them somebody has open right now."""

import time
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from apps.core import valkey

# A socket renews well within this; after a crash the publisher stops computing for it as soon.
OPEN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Board:
    """One set of live figures: a show's, or the whole platform's when no show is named."""

    show_id: UUID | None = None

    @property
    def group(self) -> str:
        """The name of its group in the channel layer."""
        return f"show.{self.show_id}" if self.show_id else "platform"

    @classmethod
    def from_group(cls, group: str) -> Self:
        """The board behind a group's name; raises ValueError for any other name."""
        if group == "platform":
            return cls()
        kind, _, show_id = group.partition(".")
        if kind != "show":
            raise ValueError(f"not a board: {group}")
        return cls(UUID(show_id))


PLATFORM = Board()


def _key() -> str:
    return valkey.key("live", "open")


async def keep_open(board: Board) -> None:
    """Note that somebody watches this board; forgotten unless repeated within OPEN_SECONDS."""
    await valkey.async_connection().zadd(_key(), {board.group: time.time() + OPEN_SECONDS})


def open_boards() -> set[Board]:
    """The boards that somebody watches; raises redis.RedisError when Valkey is away."""
    pipeline = valkey.connection().pipeline(transaction=False)
    pipeline.zremrangebyscore(_key(), "-inf", time.time())
    pipeline.zrange(_key(), 0, -1)
    _, names = pipeline.execute()
    return {Board.from_group(name.decode()) for name in names}
