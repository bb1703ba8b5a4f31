"""How fast the counter counts, and whether that depends on how much it has counted."""

import random
import statistics
import time
from itertools import count
from uuid import UUID

from django.db import connection

from apps.core import valkey
from apps.core.ids import new_id
from apps.downloads import stream
from apps.downloads.hit import Hit
from bench.backlog import wait_until_counted
from bench.figure import Figure
from bench.goals import COUNTED, COUNTED_AMONG_MANY, COUNTER_GROWTH
from bench.load.bodies import FaultError
from bench.scenario import Scene, say
from bench.stored import EPISODES

_AGENTS = (
    "AntennaPod/3.5.0",
    "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)",
    "Pocket Casts",
    "Castro 2020.14/1287",
)
# Four stretches of a 29 MB file, of which any three pass its threshold of 1.16 MB.
_SIZE, _HEADER, _DURATION_MS, _STRETCH = 29_000_000, 200_000, 1_800_000, 400_000

_MOST_BURSTS = 1024
_bursts = count()

_FILL = """
INSERT INTO downloads_coverage (
    day, episode_id, listener_key, rendition_id, organization_id, show_id, served,
    threshold_bytes, first_at, referrer, is_sent_on, is_provisional
)
SELECT (now() AT TIME ZONE 'UTC')::date, (%(episodes)s::uuid[])[1 + n %% %(count)s],
    decode(md5(n::text), 'hex'), %(rendition)s, %(organization)s, %(show)s, '{[0,400000)}',
    1160000, now(), '', false, false
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_FILL_AT_ONCE = 500_000


def measure_throughput(scene: Scene) -> list[Figure]:
    """The instance's own counter at work, with more and more coverage there already.

    From a burst's entering the stream to its last committed row; each round counts on an episode
    of its own.
    """
    counter = scene.instance.find("counter")
    _burst(scene, 0)  # opens the day
    found: list[Figure] = []
    there = 0
    before = 0
    costs: dict[int, float] = {}
    for size in scene.extent.coverage:
        _fill(scene, there, size)
        there = size
        rounds = [_burst(scene, number) for number in range(scene.extent.rounds)]
        costs[size] = statistics.median(rounds) / scene.extent.hits * 1e6
        before = before or counter.memory_info().rss
        found.append(_cost(size, costs[size]))
    least, most = min(costs), max(costs)
    found.append(
        Figure(
            f"the same at {most:,} rows against {least:,}",
            costs[most] / costs[least],
            "times",
            COUNTED_AMONG_MANY,
        )
    )
    growth = (counter.memory_info().rss - before) / 1e6
    found.append(
        Figure("growth of the counter since the first of these", growth, "MB", COUNTER_GROWTH)
    )
    return found


def _cost(size: int, microseconds: float) -> Figure:
    return Figure(
        f"a hit is counted, {size:,} rows of coverage there",
        microseconds,
        "us",
        COUNTED if size == 1_000_000 else None,
        note=f"{1e6 / microseconds:,.0f} hits/s",
    )


def _fill(scene: Scene, there: int, size: int) -> None:
    """Listeners of other episodes, in rows as the counter leaves them."""
    say(f"Filling coverage up to {size:,} rows")
    episodes = [file.episode for file in scene.seeded.small[: EPISODES // 3]]
    for first in range(there, size, _FILL_AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(
                _FILL,
                {
                    "episodes": episodes,
                    "count": len(episodes),
                    "rendition": scene.seeded.small[0].rendition,
                    "organization": scene.seeded.organization,
                    "show": scene.seeded.show,
                    "first": first,
                    "last": min(first + _FILL_AT_ONCE, size) - 1,
                },
            )


def _burst(scene: Scene, number: int) -> float:
    """All hits enter the stream at one moment, whose time is Valkey's own; the seconds it took."""
    from apps.downloads.episode_figures import all_time  # need the settings
    from apps.downloads.totals import Scope

    episode = scene.seeded.small[EPISODES // 3 + number].episode
    scope = Scope(show=scene.seeded.show, episode=episode)
    before = all_time(scope)
    hits = _hits(scene, episode, random.Random(time.time_ns()))
    wait_until_counted()
    with valkey.connection().pipeline(transaction=True) as pipe:
        for hit in hits:
            pipe.xadd(stream.name(), {stream.FIELD: hit.to_json()})
        ids = pipe.execute()
    began_ms, _ = stream.parse_id(ids[0].decode())
    wait_until_counted()
    seconds = time.time() - began_ms / 1000
    counted = all_time(scope) - before
    if counted != scene.extent.listeners:
        raise FaultError(f"{counted} downloads were counted instead of {scene.extent.listeners}")
    return seconds


def _hits(scene: Scene, episode: UUID, chance: random.Random) -> list[Hit]:
    """Each listener asks for several stretches, which enough of together make a download."""
    extent = scene.extent
    # Of another residue class for each burst: an address counts once a day for each episode.
    first = 0x0B000000 + next(_bursts)
    addresses = chance.sample(range(first, 0xDF000000, _MOST_BURSTS), extent.listeners)
    at = int(time.time() * 1000)
    hits = []
    for number in range(extent.hits):
        listener = number % extent.listeners
        address = addresses[listener]
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
                agent=_AGENTS[listener % len(_AGENTS)],
                range=f"bytes={start}-{start + _STRETCH - 1}",
                sent=((start, start + _STRETCH),),
            )
        )
    chance.shuffle(hits)
    return hits
