"""Listening to a board, by whatever kind of connection."""

import logging
from abc import ABC
from collections.abc import Sequence
from typing import Any

from channels.db import database_sync_to_async
from redis.exceptions import RedisError

from apps.accounts.actors import Actor
from apps.live import last_words
from apps.live.access import require_board
from apps.live.ears import listen, stop_listening
from apps.live.gathering import Gathering
from apps.live.groups import Board, Kind, keep_open
from apps.live.listening import Listening
from apps.live.states import board_message, encode

logger = logging.getLogger(__name__)

# Of a board that nobody had open: so that a crowd that comes at once is told the same.
_FRESH_SECONDS = 1


async def _keep_all(boards: Sequence[Board]) -> list[None]:
    await keep_open(*boards)
    return [None] * len(boards)


# Those that were checked together renew together.
_renewals: Gathering[Board, None] = Gathering(_keep_all, most=1000)


class BoardListening(Listening, ABC):
    """One open dashboard; ``kind`` and the address's ``id`` say which."""

    def __init__(self, *, kind: Kind, **options: Any) -> None:
        super().__init__(**options)
        self._kind = kind
        self._heard = ""  # the group that the ear listens to for it

    def board(self) -> Board:
        """Which board this address shows."""
        return Board(self._kind, self.scope["url_route"]["kwargs"].get("id"))

    def own_groups(self) -> list[str]:
        return []  # the process has one ear for all dashboards of a board

    async def join(self) -> None:
        await super().join()
        self._heard = self.board().group
        await listen(self._heard, self, self.tell)

    async def leave(self) -> None:
        if self._heard:
            stop_listening(self._heard, self)
        await super().leave()

    def may_listen(self, actor: Actor) -> None:
        require_board(actor, self.board())

    async def first_message(self) -> str:
        text: str = await database_sync_to_async(current_text)(self.board())
        return text

    async def renew(self) -> None:
        """Keep the board registered as open; after a crash that runs out by itself."""
        try:
            await _renewals.ask(self.board(), within_seconds=0.0)
        except (RedisError, OSError) as error:
            logger.warning("A dashboard could not be kept registered: %s", error)


def current_text(board: Board) -> str:
    """What the board shows, as the text that sockets carry.

    What others were told a moment ago is good for one more: a second dashboard costs no query.
    """
    try:
        known = last_words.read(board)
    except (RedisError, OSError):
        return encode(board_message(board))
    if known is not None:
        return known
    text = encode(board_message(board))
    try:
        last_words.remember({board: text}, seconds=_FRESH_SECONDS, is_newest=False)
    except (RedisError, OSError) as error:
        logger.warning("A board's state could not be kept: %s", error)
    return text
