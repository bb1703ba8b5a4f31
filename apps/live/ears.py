"""One ear for each board in a process, whatever the number of its open dashboards.

The channel layer would hand each of them a copy of its own to unpack and to dispatch, which costs
more than sending it.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.1  # should a fault come again and again

type Hear = Callable[[str], None]
"""Takes a message's text; it must be quick, and not raise."""


class _Ear:
    def __init__(self, group: str) -> None:
        self.hearers: dict[object, Hear] = {}
        self.ready = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._listen(group))

    async def _listen(self, group: str) -> None:
        layer: Any = get_channel_layer()
        try:
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
        except (RedisError, OSError) as error:
            self.ready.set_exception(error)
            return
        self.ready.set_result(None)
        try:
            while True:
                await self._pass_on(layer, channel)
        finally:
            with suppress(RedisError, OSError):
                await layer.group_discard(group, channel)

    async def _pass_on(self, layer: Any, channel: str) -> None:
        """One message; a broken one must not make the dashboards deaf."""
        try:
            text = (await layer.receive(channel))["text"]
        except Exception:
            logger.exception("A message to live dashboards can't be read")
            await asyncio.sleep(_PAUSE_SECONDS)
            return
        for hear in list(self.hearers.values()):
            hear(text)


_ears: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Ear]] = WeakKeyDictionary()


async def listen(group: str, hearer: object, hear: Hear) -> None:
    """From here on ``hear`` is called with what is sent to the group.

    Raises RedisError or OSError; also then :func:`stop_listening` has to be called.
    """
    ears = _ears.setdefault(asyncio.get_running_loop(), {})
    if group not in ears:
        ears[group] = _Ear(group)
    ear = ears[group]
    ear.hearers[hearer] = hear
    await asyncio.shield(ear.ready)


def stop_listening(group: str, hearer: object) -> None:
    """Nothing more; the last one of a process takes the ear along."""
    ears = _ears.get(asyncio.get_running_loop(), {})
    ear = ears.get(group)
    if ear is None:
        return
    ear.hearers.pop(hearer, None)
    if not ear.hearers:
        del ears[group]
        ear.task.cancel()
