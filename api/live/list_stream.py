"""A list of the API, or of the platform's staff, as a stream of what changes in it."""

from typing import Any

from channels.db import database_sync_to_async

from api.live.board_feed import BoardFeed, Grown, NewestRows
from api.live.change_stream import ChangeStream, Ear
from api.live.row_feed import ChangedRows, NudgeWish, RowFeed
from api.live.wishes import Asked, LiveList, Place, asked
from apps.accounts.actors import Actor
from apps.accounts.scopes import Scope
from apps.core.row_news import rows_group
from apps.live.access import require_board
from apps.live.groups import PLATFORM


class ListStream(ChangeStream):
    """The list that ``source`` says; events have its rows as it has them."""

    def __init__(self, *, source: LiveList, **options: Any) -> None:
        super().__init__(**options)
        self._source = source
        self.token_scope = source.view.read_scope or Scope.READ
        self._asked: Asked | None = None
        self._places: list[Place] = []

    def may_listen(self, actor: Actor) -> None:
        """As the list's view decides; also notes where the actor's rows are by now."""
        self._places = self._source.places(actor, self.scope["url_route"]["kwargs"])

    async def prepare(self) -> None:
        """Filters and fields, as the list takes them."""
        query = self.scope["query_string"].decode("latin-1")
        self._asked = await database_sync_to_async(self._read)(query)

    def _read(self, query: str) -> Asked:
        return asked(self._source, query)

    def ears(self) -> list[Ear]:
        """One for each place."""
        return [_ear(place, self._asked) for place in self._places] if self._asked else []


def _ear(place: Place, what: Asked) -> Ear:
    wish, board = what.wish(place), place.board
    if board is not None:
        return Ear(f"board {board.group}", NewestRows(wish), lambda: BoardFeed(board))
    return Ear(place.group, ChangedRows(wish), lambda: RowFeed(place.group))


PLATFORM_LISTS = ("episodes", "uploads", "downloads", "hits")


class PlatformListStream(ChangeStream):
    """That something changed in one of the platform's lists, for pages of its staff."""

    def __init__(self, *, kind: str, **options: Any) -> None:
        super().__init__(**options)
        self._kind = kind

    def may_listen(self, actor: Actor) -> None:
        """As for the platform's board: staff who have signed in."""
        require_board(actor, PLATFORM)

    def ears(self) -> list[Ear]:
        """The list's."""
        kind = self._kind
        if kind in ("downloads", "hits"):
            return [Ear(f"board {PLATFORM.group}", Grown(kind), lambda: BoardFeed(PLATFORM))]
        group = rows_group(kind)
        return [Ear(group, NudgeWish(kind), lambda: RowFeed(group))]
