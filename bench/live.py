"""How long a download takes to every open dashboard, with hundreds open and thousands of hits."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from apps.core import valkey
from apps.core.ids import new_id
from apps.downloads import stream
from apps.downloads.hit import Hit
from bench import goals
from bench.backlog import wait_until_counted, wait_until_tidy
from bench.figure import Figure
from bench.load.bodies import FaultError
from bench.scenario import Scene, say
from tests.faults.podcaster import Podcaster

HITS_PER_SECOND = 2_000
SETTLE_SECONDS = 3.0  # of hits, before any counts: boards, plans and caches are warm then
PATIENCE_SECONDS = 30
_TICK_SECONDS = 0.02
_LONGEST_MS = 20_000
_SIZE, _DURATION_MS = 29_000_000, 1_800_000
_AGENTS = ("AntennaPod/3.5.0", "Pocket Casts", "Castro 2020.14/1287")


@dataclass(slots=True)
class Entrances:
    """When each download of one show entered the stream, in the order of the stream."""

    episode: UUID
    show: UUID
    organization: UUID
    times: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Watching:
    """One open dashboard: how many downloads it has shown, and how long each took to it."""

    entrances: Entrances
    delays_ms: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    counts_from: list[float]
    shown: int = 0
    messages: int = 0

    def hear(self, text: str | bytes) -> None:
        """A message as it arrives; whatever it shows for the first time has arrived with it."""
        at = time.perf_counter()
        message = json.loads(text)
        if message["type"] != "show":
            return
        total, entered = int(message["total"]), self.entrances.times
        new, self.shown = entered[self.shown : total], max(self.shown, total)
        if not self.counts_from or at < self.counts_from[0]:
            return
        self.messages += 1
        delays = np.clip((at - np.array(new)) * 1000, 0, _LONGEST_MS - 1).astype(np.int64)
        self.delays_ms += np.bincount(delays, minlength=_LONGEST_MS)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: by the millisecond how many updates took so long, and what it cost."""

    dashboards: int
    delays_ms: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    messages: int
    seconds: float
    cpu_shares: Mapping[str, float]

    def percentile(self, share: float) -> float:
        """In milliseconds, of all updates of all dashboards."""
        reached = np.cumsum(self.delays_ms)
        return float(np.searchsorted(reached, share * reached[-1]) + 1)


def measure_live(scene: Scene) -> Iterator[Figure]:
    """Dashboards spread over many shows, then as many on one."""
    extent = scene.extent
    wait_until_tidy()
    for shows in (extent.live_shows, 1):
        wait_until_counted()
        run = asyncio.run(_run(scene, _make_shows(scene, shows)))
        cpu = ", ".join(f"{name} {share:.0%}" for name, share in run.cpu_shares.items())
        where = f"{shows} shows" if shows > 1 else "one show"
        yield Figure(
            f"{run.dashboards} dashboards on {where}: 99 % of updates within",
            run.percentile(0.99),
            "ms",
            goals.LIVE,
            beside=f"{HITS_PER_SECOND} hits/s",
            note=(
                f"half of the updates within {run.percentile(0.5):.0f} ms; "
                f"{run.messages / run.dashboards / run.seconds:.2f} messages a second to each "
                f"dashboard; of one CPU: {cpu}"
            ),
        )


def _make_shows(scene: Scene, count: int) -> list[Entrances]:
    """Fresh ones, with an episode each: nobody has downloaded anything of them."""
    from apps.accounts.models import Organization
    from apps.core.clock import now
    from podcasts.models import Episode, EpisodeStatus, Show
    from podcasts.services.shows import create_show

    organization = Organization.objects.get(pk=scene.seeded.organization)
    audio = Episode.objects.get(pk=scene.seeded.small[0].episode).audio_id
    made = []
    for number in range(count):
        handle = f"live-{count}-{number}"
        show: Show = create_show(
            organization=organization,
            title=f"Live {number}",
            handle=handle,
            description="Downloaded while somebody looks.",
            category="Technology",
            author="Somebody",
            owner_name="Somebody",
            owner_email=scene.seeded.email,
        )
        episode = Episode.objects.create(
            organization=organization,
            show=show,
            title="The only one",
            slug="only",
            audio_id=audio,
            status=EpisodeStatus.PUBLISHED,
            published_at=now() - timedelta(days=1),
        )
        made.append(Entrances(episode.pk, show.pk, organization.pk))
    return made


async def _run(scene: Scene, shows: Sequence[Entrances]) -> Run:
    podcaster = await asyncio.to_thread(
        Podcaster, scene.instance, scene.seeded.email, scene.seeded.password
    )
    cookies = "; ".join(f"{name}={value}" for name, value in podcaster.client.cookies.items())
    delays = np.zeros(_LONGEST_MS, dtype=np.int64)
    begin: list[float] = []
    watching = [
        Watching(shows[number % len(shows)], delays, begin)
        for number in range(scene.extent.dashboards)
    ]
    hits = _render(scene, shows)
    async with AsyncExitStack() as stack:
        say(f"Opening {len(watching)} dashboards on {len(shows)} show(s)")
        followers = []
        for one in watching:
            socket = await stack.enter_async_context(_dial(scene, one.entrances.show, cookies))
            followers.append(asyncio.create_task(_follow(socket, one)))
        processes = _processes(scene)
        feeding = asyncio.create_task(_feed(hits))
        await asyncio.sleep(SETTLE_SECONDS)
        before, begun = _cpu(processes), time.perf_counter()
        begin.append(begun)
        await feeding
        seconds, after = time.perf_counter() - begun, _cpu(processes)
        messages = sum(one.messages for one in watching)
        await _until_shown(watching)
        for follower in followers:
            follower.cancel()
    shares = {name: (after[name] - before[name]) / seconds for name in before}
    return Run(len(watching), delays, messages, seconds, shares)


def _dial(scene: Scene, show: UUID, cookies: str) -> connect:
    return connect(
        f"ws://localhost:{scene.instance.port}/live/shows/{show}/",
        origin=Origin(scene.instance.origin),
        additional_headers={"Cookie": cookies},
        open_timeout=PATIENCE_SECONDS,
        compression=None,
    )


async def _follow(socket: ClientConnection, one: Watching) -> None:
    async for text in socket:
        one.hear(text)


def _render(scene: Scene, shows: Sequence[Entrances]) -> list[tuple[Entrances, bytes]]:
    """Whole downloads, each by a listener of its own."""
    count = round(HITS_PER_SECOND * (SETTLE_SECONDS + scene.extent.live_seconds))
    base, at = 0x0B000000 + len(shows) * 1_000_000, int(time.time() * 1000)
    rendered = []
    for number in range(count):
        one = shows[number % len(shows)]
        address = base + number
        hit = Hit(
            id=new_id(),
            at=at,
            episode=one.episode,
            show=one.show,
            organization=one.organization,
            rendition=scene.seeded.small[0].rendition,
            size=_SIZE,
            header=0,
            duration_ms=_DURATION_MS,
            method="GET",
            status=200,
            ip=".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0)),
            agent=_AGENTS[number % len(_AGENTS)],
            sent=((0, _SIZE),),
        )
        rendered.append((one, hit.to_json()))
    return rendered


async def _feed(hits: Sequence[tuple[Entrances, bytes]]) -> None:
    """Let them enter the stream at an even pace."""
    client, begun, entered = valkey.async_connection(), time.perf_counter(), 0
    while entered < len(hits):
        due = min(len(hits), int((time.perf_counter() - begun) * HITS_PER_SECOND))
        at = time.perf_counter()
        async with client.pipeline(transaction=False) as pipe:
            for one, text in hits[entered:due]:
                one.times.append(at)
                pipe.xadd(stream.name(), {stream.FIELD: text})
            await pipe.execute()
        entered = due
        await asyncio.sleep(_TICK_SECONDS)


async def _until_shown(watching: Sequence[Watching]) -> None:
    """Every dashboard has shown every download, or nothing was measured."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(one.shown < len(one.entrances.times) for one in watching):
        if time.monotonic() > deadline:
            raise FaultError(f"not every download was shown within {PATIENCE_SECONDS} s")
        await asyncio.sleep(0.05)


def _processes(scene: Scene) -> dict[str, psutil.Process]:
    names = ("web", "counter", "postgres", "valkey")
    return {name: scene.instance.find(name) for name in names} | {"bench": psutil.Process()}


def _cpu(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    """Seconds so far, children included, also those that have ended."""
    return {
        name: _own(process) if name == "bench" else _with_children(process)
        for name, process in processes.items()
    }


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _with_children(process: psutil.Process) -> float:
    """Of all: the system adds a child's time to its parent's ``children_…`` when it ends."""
    total = 0.0
    for one in [*process.children(recursive=True), process]:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
