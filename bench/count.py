"""How fast the counter counts, and how long a download takes to be seen."""

import random
import statistics
import time
from dataclasses import dataclass
from uuid import UUID

from apps.core import valkey
from apps.core.ids import new_id
from apps.downloads import stream
from apps.downloads.hit import Hit
from bench.backlog import wait_until_counted
from bench.load.bodies import FaultError
from bench.scenario import Scene

_AGENTS = (
    "AntennaPod/3.5.0",
    "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)",
    "Pocket Casts",
    "Castro 2020.14/1287",
)
# Four stretches of a 29 MB file, of which any three pass its threshold of 1.16 MB.
_SIZE, _HEADER, _DURATION_MS, _STRETCH = 29_000_000, 200_000, 1_800_000, 400_000


@dataclass(frozen=True, slots=True)
class Throughput:
    """Rounds of a burst of hits, from entering the stream to the last committed row."""

    hits: int
    listeners: int
    seconds: tuple[float, ...]

    @property
    def hits_per_second(self) -> float:
        """The median of the rounds."""
        return self.hits / statistics.median(self.seconds)


def measure_throughput(scene: Scene) -> Throughput:
    """The instance's own counter at work; each round counts on an episode of its own."""
    extent = scene.extent
    seconds = [_burst(scene, number) for number in range(extent.rounds)]
    return Throughput(extent.hits, extent.listeners, tuple(seconds))


def _burst(scene: Scene, number: int) -> float:
    """All hits enter the stream at one moment, whose time is Valkey's own."""
    from apps.downloads.episode_figures import all_time  # need the settings
    from apps.downloads.totals import Scope

    episode = scene.seeded.small[100 + number].episode
    hits = _hits(scene, episode, random.Random(number))
    wait_until_counted()
    with valkey.connection().pipeline(transaction=True) as pipe:
        for hit in hits:
            pipe.xadd(stream.name(), {stream.FIELD: hit.to_json()})
        ids = pipe.execute()
    began_ms, _ = stream.parse_id(ids[0].decode())
    wait_until_counted()
    seconds = time.time() - began_ms / 1000
    counted = all_time(Scope(show=scene.seeded.show, episode=episode))
    if counted != scene.extent.listeners:
        raise FaultError(f"{counted} downloads were counted instead of {scene.extent.listeners}")
    return seconds


def _hits(scene: Scene, episode: UUID, chance: random.Random) -> list[Hit]:
    """Each listener asks for several stretches, which enough of together make a download."""
    extent = scene.extent
    addresses = chance.sample(range(0x0B000000, 0xDF000000), extent.listeners)
    at = int(time.time() * 1000)
    hits = []
    for number in range(extent.hits):
        address = addresses[number % extent.listeners]
        start = number // extent.listeners * _STRETCH
        hits.append(
            Hit(
                id=new_id(),
                at=at,
                episode=episode,
                show=scene.seeded.show,
                organization=scene.seeded.organization,
                rendition=scene.seeded.small[0].rendition,
                size=_SIZE,
                header=_HEADER,
                duration_ms=_DURATION_MS,
                method="GET",
                status=206,
                ip=".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0)),
                agent=_AGENTS[address % len(_AGENTS)],
                range=f"bytes={start}-{start + _STRETCH - 1}",
                sent=((start, start + _STRETCH),),
            )
        )
    chance.shuffle(hits)
    return hits
