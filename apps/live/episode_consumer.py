"""``/live/episodes/<uuid>/``: how the preparation of an episode's audio goes on."""

import json
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied
from django.http import Http404

from apps.accounts.actors import Actor
from apps.live.listener import Listener
from apps.live.listening import NOT_FOUND
from podcasts.access import get_episode
from podcasts.audio_progress import group_name
from podcasts.audio_state import audio_state


class EpisodeConsumer(Listener):
    """An open page of one episode; every message holds the whole state, as the API answers it."""

    def __init__(self, *, pulse_seconds: float | None = None) -> None:
        super().__init__(pulse_seconds=pulse_seconds)
        self._state: dict[str, Any] = {}

    def own_groups(self) -> list[str]:
        return [group_name(self._episode_id)]

    def may_listen(self, actor: Actor) -> None:
        get_episode(actor, self._episode_id)

    async def first_message(self) -> str:
        self._state = await self._read()
        return json.dumps(self._state)

    async def audio_changed(self, event: dict[str, Any]) -> None:
        """From the group: the rows say more than a message can."""
        try:
            self._state = await self._read()
        except (Http404, PermissionDenied):
            await self.close(NOT_FOUND)
            return
        self.tell(json.dumps(self._state))

    async def audio_progress(self, event: dict[str, Any]) -> None:
        """From the group: only the stage and the percentage are new, which needs no query."""
        incoming = self._state.get("incoming")
        if incoming is None or incoming["asset"] != event["asset"]:
            return
        incoming |= {
            "status": "processing",
            "stage": event["stage"],
            "progress": event["progress"],
            "error": None,
        }
        self._state["status"] = "processing"
        self.tell(json.dumps(self._state))

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _read(self) -> dict[str, Any]:
        return audio_state(get_episode(self.scope["user"], self._episode_id))

    @property
    def _episode_id(self) -> UUID:
        episode_id: UUID = self.scope["url_route"]["kwargs"]["episode_id"]
        return episode_id
