"""Which live boards exist, and which of them somebody has open right now."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID

from apps.core import valkey

# A socket renews well within this; after a crash the publisher stops computing for it as soon.
OPEN_SECONDS = 60


class Kind(StrEnum):
    """What a board is about."""

    ORGANIZATION = "organization"
    SHOW = "show"
    EPISODE = "episode"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Board:
    """One set of live figures; only the platform's has no id."""

    kind: Kind
    id: UUID | None = None

    @property
    def group(self) -> str:
        """The name of its group in the channel layer."""
        return f"{self.kind}.{self.id}" if self.id else self.kind.value

    @classmethod
    def from_group(cls, group: str) -> Self:
        """The board behind a group's name; raises ValueError for any other name."""
        kind, _, name = group.partition(".")
        board = cls(Kind(kind), UUID(name) if name else None)
        if (board.id is None) is not (board.kind is Kind.PLATFORM):
            raise ValueError(f"not a board: {group}")
        return board

    @classmethod
    def of_organization(cls, organization_id: UUID) -> Self:
        """A tenant's: all its shows together."""
        return cls(Kind.ORGANIZATION, organization_id)

    @classmethod
    def of_show(cls, show_id: UUID) -> Self:
        """A show's."""
        return cls(Kind.SHOW, show_id)

    @classmethod
    def of_episode(cls, episode_id: UUID) -> Self:
        """An episode's."""
        return cls(Kind.EPISODE, episode_id)


PLATFORM = Board(Kind.PLATFORM)


def _key() -> str:
    return valkey.key("live", "open")


async def keep_open(*boards: Board) -> None:
    """Note that somebody watches these boards; forgotten unless repeated within OPEN_SECONDS."""
    until = time.time() + OPEN_SECONDS
    await valkey.async_connection().zadd(_key(), {board.group: until for board in boards})


def open_boards() -> set[Board]:
    """The boards that somebody watches; raises redis.RedisError when Valkey is away."""
    pipeline = valkey.connection().pipeline(transaction=False)
    pipeline.zremrangebyscore(_key(), "-inf", time.time())
    pipeline.zrange(_key(), 0, -1)
    _, names = pipeline.execute()
    return {Board.from_group(name.decode()) for name in names}
