"""How long after the end of a response its download is a row, and on an open dashboard."""

import asyncio
import json
import random
import statistics
import time
from dataclasses import dataclass
from typing import Any

import httpx2
import psycopg
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from bench.load.bodies import FaultError
from bench.scenario import Scene
from bench.stored import StoredFile
from tests.faults.podcaster import Podcaster

PATIENCE_SECONDS = 30
POLL_SECONDS = 0.003
# Listeners come when they like: at no fixed distance to the counter's and the dashboard's pace.
PAUSE_SECONDS = (1.0, 2.5)
_COUNTED = """
SELECT coalesce(sum(total.downloads), 0) FROM downloads_hourtotal AS total
JOIN podcasts_episode AS episode ON episode.id = %s
WHERE total.show_id = episode.show_id AND total.episode_id = episode.id
"""


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from the last byte of a response, for each try."""

    to_row: tuple[float, ...]
    to_message: tuple[float, ...]


def summary(seconds: tuple[float, ...]) -> tuple[float, float]:
    """Median and maximum, in milliseconds."""
    return statistics.median(seconds) * 1000, max(seconds) * 1000


def measure_delays(scene: Scene) -> Delays:
    """One listener after the other fetches a whole file while a dashboard is open."""
    return asyncio.run(_measure(scene))


async def _measure(scene: Scene) -> Delays:
    owner = scene.seeded.email, scene.seeded.password
    podcaster = await asyncio.to_thread(Podcaster, scene.instance, *owner)
    cookies = "; ".join(f"{name}={value}" for name, value in podcaster.client.cookies.items())
    address = f"ws://localhost:{scene.instance.port}/live/shows/{scene.seeded.show}/"
    chance = random.Random(1)
    async with (
        connect(
            address,
            origin=Origin(scene.instance.origin),
            additional_headers={"Cookie": cookies},
        ) as socket,
        await psycopg.AsyncConnection.connect(settings.DATABASE_URL, autocommit=True) as database,
        httpx2.AsyncClient(base_url=scene.instance.origin, timeout=30) as client,
        asyncio.TaskGroup() as group,
    ):
        board = _Board()
        following = group.create_task(board.follow(socket))
        tries = []
        for number in range(scene.extent.delays):
            await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
            file = scene.seeded.small[200 + number % 50]
            tries.append(await _try(client, database, board, file, number))
        following.cancel()
    return Delays(tuple(row for row, _ in tries), tuple(message for _, message in tries))


class _Board:
    """An open dashboard, and when it was told which total."""

    def __init__(self) -> None:
        self.total = 0
        self._told = asyncio.Condition()
        self._told_at = 0.0

    async def follow(self, socket: ClientConnection) -> None:
        async for text in socket:
            at = time.perf_counter()
            message = json.loads(text)
            if message["type"] != "show":  # a heartbeat
                continue
            async with self._told:
                total = int(message["total"])
                if total != self.total:
                    self.total, self._told_at = total, at
                self._told.notify_all()

    async def told_above(self, total: int) -> float:
        """When a larger total than this came first."""
        async with self._told:
            await self._told.wait_for(lambda: self.total > total)
            return self._told_at


async def _try(
    client: httpx2.AsyncClient,
    database: psycopg.AsyncConnection[Any],
    board: _Board,
    file: StoredFile,
    number: int,
) -> tuple[float, float]:
    """Seconds to the row and to the message."""
    rows, total = await _counted(database, file), board.total
    content = await asyncio.to_thread(file.path.read_bytes)
    response = await client.get(
        file.as_episode.path,
        headers={
            "User-Agent": "AntennaPod/3.5.0",
            "X-Forwarded-For": f"198.19.{number // 250}.{number % 250 + 1}",
        },
    )
    ended = time.perf_counter()
    if response.content != content:
        raise FaultError(f"{file.as_episode.path} is not the file")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await _counted(database, file) == rows:  # noqa: ASYNC110 -- another process's work
            await asyncio.sleep(POLL_SECONDS)
        row = time.perf_counter()
        message = await board.told_above(total)
    return row - ended, message - ended


async def _counted(database: psycopg.AsyncConnection[Any], file: StoredFile) -> int:
    cursor = await database.execute(_COUNTED, [file.episode])
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
