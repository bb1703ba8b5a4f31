"""The sockets of the dashboards: which board each address shows, and to whom."""

import logging
from abc import abstractmethod
from typing import TYPE_CHECKING
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import Http404
from redis.exceptions import RedisError

from apps.live.groups import PLATFORM, Board, keep_open
from apps.live.listener import Listener
from apps.live.states import current_message
from podcasts.access import get_show

if TYPE_CHECKING:
    from apps.accounts.models import User

logger = logging.getLogger(__name__)


class BoardConsumer(Listener):
    """One open dashboard."""

    @abstractmethod
    def board(self) -> Board:
        """Which board this address shows."""

    def group(self) -> str:
        return self.board().group

    async def first_message(self) -> str:
        message: str = await database_sync_to_async(current_message)(self.board())
        return message

    async def renew(self) -> None:
        """Keep the board registered as open; after a crash that runs out by itself."""
        try:
            await keep_open(self.board())
        except (RedisError, OSError) as error:
            logger.warning("A dashboard could not be kept registered: %s", error)

    async def board_message(self, event: dict[str, str]) -> None:
        """From the group."""
        self.tell(event["text"])


class ShowConsumer(BoardConsumer):
    """``/live/shows/<uuid>/``: downloads of one show, for its organisation's members."""

    def board(self) -> Board:
        return Board(self._show_id)

    def may_listen(self, user: "User") -> None:
        get_show(user, self._show_id)

    @property
    def _show_id(self) -> UUID:
        show_id: UUID = self.scope["url_route"]["kwargs"]["show_id"]
        return show_id


class PlatformConsumer(BoardConsumer):
    """``/live/platform/``: the whole platform, for its staff."""

    def board(self) -> Board:
        return PLATFORM

    def may_listen(self, user: "User") -> None:
        if not user.is_staff:
            raise Http404("There is no such page.")
